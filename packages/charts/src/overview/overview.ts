/** The overview: a whole session on one slide. */
import type { ChartDescription } from '@sansmtp/core/chart';
import { formOf } from '../form/chart.js';
import type { Story } from '../stories/story.js';
import { muted, type Scene, strong } from '../svg/scene.js';
import { drawColumn } from './column.js';
import { drawFoot, drawLegend } from './foot.js';
import { drawLoop } from './loop.js';
import { Sketch } from './sketch.js';
import { wayOf } from './way.js';

export function overviewOf(chart: ChartDescription, story: Story): Scene {
  const form = formOf(chart);
  const way = wayOf(form, story);
  const sketch = new Sketch(form, story);
  sketch.words('title', [strong(story.title)], { x: 28, y: 38 }, { size: 22 });
  sketch.words('title', [muted(story.subtitle)], { x: 28, y: 61 }, { size: 13 });
  drawLegend(sketch);
  drawLoop(sketch, way, drawColumn(sketch, way));
  drawFoot(sketch);
  return { width: 1000, height: 700, title: story.title, description: story.subtitle, marks: sketch.marks };
}
