/** The charts in README.md and docs/ are those of the code. `UPDATE_DOCS=1` draws them anew. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { renderMermaid } from '@sansmtp/charts';
import { describeChart } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { withCharts } from './chart-blocks.js';

const top = new URL('../../../', import.meta.url);

async function documents(): Promise<URL[]> {
  const [files, docs] = await Promise.all([readdir(top), readdir(new URL('docs/', top))]);
  const names = [...files.filter((name) => name === 'README.md'), ...docs.map((name) => `docs/${name}`)];
  return names.filter((name) => name.endsWith('.md')).map((name) => new URL(name, top));
}

it('shows in README.md and docs/ the charts as they are (else run this test with UPDATE_DOCS=1)', async () => {
  for (const document of await documents()) {
    const text = await readFile(document, 'utf8');
    const current = withCharts(text);
    if (process.env.UPDATE_DOCS === '1' && current !== text) await writeFile(document, current);
    else expect(text, document.pathname).toBe(current);
  }
});

describe('a document with charts', () => {
  const block = (name: string, content: string) => `<!-- chart: ${name} -->\n${content}<!-- /chart -->`;
  const server = `\`\`\`mermaid\n${renderMermaid(describeChart('server'))}\`\`\`\n`;
  const client = `\`\`\`mermaid\n${renderMermaid(describeChart('client'), { detail: 'outline' })}\`\`\`\n`;

  it('gets each chart by its name, and keeps its own text', () => {
    const text = (first: string, second: string) =>
      `# Title\n\n${block('server', first)}\n\nBetween.\n${block('client outline', second)}\nEnd.\n`;
    expect(withCharts(text('', 'old\n'))).toBe(text(server, client));
  });

  it('stays as it is once its charts are those of the code', () => {
    const text = `Before.\n${block('server', server)}\nAfter.\n`;
    expect(withCharts(text)).toBe(text);
  });

  it('changes where a chart was edited by hand', () => {
    const edited = block('server', server.replace('stateDiagram-v2', 'stateDiagram'));
    expect(withCharts(edited)).toBe(block('server', server));
  });

  it('stays as it is without charts', () => {
    expect(withCharts('# Title\n```mermaid\ngraph\n```\n')).toBe('# Title\n```mermaid\ngraph\n```\n');
  });

  it.each([
    [block('sever', ''), '"sever" is no chart'],
    [block('server outline full', ''), '"server outline full" is no chart'],
    [block('server brief', ''), '"server brief" is no chart'],
    ['<!-- chart: server -->\nText.', 'no <!-- /chart --> behind it'],
    [`<!-- chart: client -->\n${block('server', '')}`, 'no <!-- /chart --> behind it'],
    [`${block('server', '')}\n<!-- /chart -->`, 'no <!-- chart: … --> before it'],
    ['<!-- /chart -->', 'no <!-- chart: … --> before it'],
  ])('is refused: %j', (text, reason) => {
    expect(() => withCharts(text)).toThrow(reason);
  });
});
