/** In the page: all text against all other text, the shapes of states, and the lines. */
globalThis.findFaults = function findFaults() {
  const SLACK = 2;
  const overlap = (a, b) =>
    Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > SLACK &&
    Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > SLACK;
  const isInside = (inner, outer) =>
    inner.x >= outer.x - SLACK &&
    inner.y >= outer.y - SLACK &&
    inner.x + inner.width <= outer.x + outer.width + SLACK &&
    inner.y + inner.height <= outer.y + outer.height + SLACK;
  const all = (selector) => [...document.querySelectorAll(selector)];

  const texts = all('text').map((element) => ({ text: element.textContent ?? '', box: element.getBBox() }));
  const shapes = all('.shape').map((element) => element.getBBox());
  const lines = all('.edge path:not(.tip)');
  const picture = document.querySelector('.paper').getBBox();
  // Points along each line, a pixel and a half apart.
  const points = lines.flatMap((line) => {
    const length = line.getTotalLength();
    return Array.from({ length: Math.floor(length / 1.5) }, (_, index) => line.getPointAtLength(index * 1.5));
  });
  const faults = [];
  texts.forEach(({ text, box }, index) => {
    if (!isInside(box, picture)) faults.push(`"${text}" leaves the picture`);
    for (const other of texts.slice(index + 1))
      if (overlap(box, other.box)) faults.push(`"${text}" lies on "${other.text}"`);
    for (const shape of shapes)
      if (overlap(box, shape) && !isInside(box, shape)) faults.push(`"${text}" lies across a state`);
    const core = {
      x: box.x + SLACK,
      y: box.y + SLACK,
      width: box.width - 2 * SLACK,
      height: box.height - 2 * SLACK,
    };
    if (
      points.some(
        ({ x, y }) => x > core.x && x < core.x + core.width && y > core.y && y < core.y + core.height,
      )
    ) {
      faults.push(`"${text}" lies on a line`);
    }
  });
  return faults;
};
