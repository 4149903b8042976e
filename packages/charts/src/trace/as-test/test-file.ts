/**
 * A session of a trace as a test: a file for vitest that says the same to a session of `@sansmtp/core`, and expects the
 * same of it, so that a bug report is a test.
 */
import type { SessionTrace } from '../reading.js';
import { clientStory } from './client-story.js';
import { serverStory } from './server-story.js';
import type { Piece, Step, Story } from './story.js';

/** The text of the file. What the trace does not have (messages, secrets) has stand-ins in it. */
export function testFileOf({ id, end, records }: SessionTrace): string {
  const story = end === 'server' ? serverStory(records) : clientStory(records);
  const session = end === 'server' ? 'ServerSession' : 'ClientSession';
  const imports = story.keywords === undefined ? session : `knownExtensions, ${session}`;
  const ends = story.ends === undefined ? [] : [` * It ends before the trace does: ${story.ends}.`];
  return [
    '/**',
    ` * Session ${JSON.stringify(id).replaceAll('*/', '* /')} of a trace, said again: sansmtp replay --as-test wrote this file.`,
    ' * The trace has no messages and no secrets: others stand for them.',
    ...ends,
    ' */',
    `import { ${imports} } from '@sansmtp/core';`,
    "import { expect, it } from 'vitest';",
    '',
    ...(story.keywords === undefined ? [] : [`const keywords = new Set(${JSON.stringify(story.keywords)});`]),
    'const options = {',
    ...story.options.map((option) => `  ${option},`),
    ...(story.keywords === undefined
      ? []
      : ['  extensions: knownExtensions.filter(({ keyword }) => keywords.has(keyword)),']),
    '};',
    '',
    ...answersOf(story, end),
    'const octets = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));',
    "const message = (length) => (length < 2 ? '' : 'x'.repeat(length - 2) + '\\r\\n');",
    "const base64 = (text) => Buffer.from(text).toString('base64');",
    '',
    '/** What happened, in milliseconds since the session began; what it said, and where it stood then. */',
    'const steps = [',
    ...story.steps.map(stepText),
    '];',
    '',
    ...(end === 'server' ? SERVER : CLIENT),
    '',
  ].join('\n');
}

function answersOf({ answers }: Story, end: SessionTrace['end']): readonly string[] {
  if (end === 'client') return [];
  return [
    '/** What the application answered, question by question. */',
    'const answers = [',
    ...answers.map(({ question, answer }) => `  { kind: ${JSON.stringify(question)}, answer: ${answer} },`),
    '];',
    '',
  ];
}

function stepText({ at, kind, pieces = [], input, says, state }: Step): string {
  const happened =
    kind === 'receive'
      ? `input: { type: 'bytes', bytes: octets(${pieces.map(pieceText).join(' + ')}) }, `
      : input === undefined
        ? ''
        : `input: { ${input} }, `;
  return `  { at: ${at}, ${happened}says: ${JSON.stringify(says)}, state: ${JSON.stringify(state)} },`;
}

function pieceText(piece: Piece): string {
  if ('text' in piece) return JSON.stringify(piece.text);
  return 'filler' in piece ? `message(${piece.filler})` : `base64(${JSON.stringify(piece.base64)})`;
}

const SERVER = [
  "it('answers as it did', () => {",
  '  const session = new ServerSession({ ...options, now: 0 });',
  '  const open = [...answers];',
  '  for (const { at, input, says, state } of steps) {',
  '    if (input) session.handle({ ...input, now: at });',
  "    let written = '';",
  '    for (let output = session.poll(); output !== undefined; output = session.poll()) {',
  "      if (output.type === 'write') written += String.fromCharCode(...output.bytes);",
  "      if (output.type !== 'ask') continue;",
  '      const next = open.shift();',
  '      if (next === undefined) continue;',
  '      expect(output.question.kind).toBe(next.kind);',
  "      session.handle({ type: 'answer', ...next.answer, now: at });",
  '    }',
  '    const replies = [...written.matchAll(/^(\\d{3})(?: ([245]\\.\\d+\\.\\d+))?(?:$| )/gm)];',
  "    const said = replies.map((reply) => reply.slice(1).filter(Boolean).join(' '));",
  '    expect({ at, says: said, state: session.state }).toEqual({ at, says, state });',
  '  }',
  '});',
];

const CLIENT = [
  "it('says what it said', () => {",
  '  const session = new ClientSession({ ...options, now: 0, observe: true });',
  '  for (const { at, input, says, state } of steps) {',
  '    if (input) session.handle({ ...input, now: at });',
  '    const said = [];',
  '    for (let output = session.poll(); output !== undefined; output = session.poll()) {',
  "      if (output.type === 'observed' && output.event.type === 'command') said.push(output.event.line);",
  '    }',
  '    expect({ at, says: said, state: session.state }).toEqual({ at, says, state });',
  '  }',
  '});',
];
