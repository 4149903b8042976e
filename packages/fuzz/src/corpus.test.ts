import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { run } from './running.js';
import { formatStory, parseStory } from './story.js';

const corpus = new URL('../corpus/', import.meta.url);

describe('the corpus', () => {
  it.each(readdirSync(corpus))('%s shows no fault', (file) => {
    const text = readFileSync(new URL(file, corpus), 'utf8');
    const story = parseStory(text);
    expect(run(story).fault).toBeUndefined();
    expect(formatStory(story, text.split('\n')[0]?.slice(2) ?? '')).toBe(text);
  });
});
