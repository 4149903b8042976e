/** A chart as JSON: the description itself, for other programs. */
import type { ChartDescription } from '@sansmtp/core/chart';

export function renderJson(chart: ChartDescription): string {
  return `${JSON.stringify(chart, undefined, 2)}\n`;
}
