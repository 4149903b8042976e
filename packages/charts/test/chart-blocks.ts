/**
 * Charts in documents. A document shows a chart between two comments, which Markdown does not print:
 *
 *     <!-- chart: server -->
 *     <!-- /chart -->
 *
 * The first names the end, `server` or `client`, and may add `outline`; what stands between them is drawn from the
 * code.
 */
import { renderMermaid } from '@sansmtp/charts';
import { describeChart } from '@sansmtp/core';

/**
 * The document with its charts as the code draws them now; all else is left as it is.
 * @throws {Error} if a comment names no chart, or stands without the other
 */
export function withCharts(document: string): string {
  const [before = '', ...parts] = document.split('<!-- chart: ');
  refuseStrayEnd(before);
  return parts.reduce((text, part) => {
    const [, name = '', after = ''] = /^(.*?) -->.*?<!-- \/chart -->(.*)$/s.exec(part) ?? [];
    if (name === '') throw new Error(`<!-- chart: ${part.slice(0, 40)}… has no <!-- /chart --> behind it`);
    refuseStrayEnd(after);
    return `${text}<!-- chart: ${name} -->\n\`\`\`mermaid\n${draw(name)}\`\`\`\n<!-- /chart -->${after}`;
  }, before);
}

function draw(name: string): string {
  const [end, detail = 'full', ...more] = name.split(' ');
  const isKnown = (end === 'server' || end === 'client') && (detail === 'full' || detail === 'outline');
  if (!isKnown || more.length > 0) {
    throw new Error(`"${name}" is no chart: write server or client, and outline behind it for the outline`);
  }
  return renderMermaid(describeChart(end), { detail });
}

function refuseStrayEnd(text: string): void {
  if (text.includes('<!-- /chart -->'))
    throw new Error('a <!-- /chart --> has no <!-- chart: … --> before it');
}
