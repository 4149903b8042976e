import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatStory, HOSTS, host, type Move, parseStory, peer, type Story } from './story.js';

const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.constantFrom('accept', 'reject by 421').map(host),
  fc.uint8Array({ maxLength: 20 }).map((octets): Move => ({ by: 'peer', octets })),
  fc.constantFrom(' ', ' × 3', '\\x41', '# no', '\r\n').map(peer),
);
const stories: fc.Arbitrary<Story> = fc.record({
  end: fc.constantFrom('server', 'client'),
  mode: fc.constant('lmtp'),
  state: fc.constant('session.ready'),
  host: fc.constantFrom(...HOSTS),
  moves: fc.array(moves),
});

describe('a story', () => {
  it('is the same behind its file, whatever its octets', () => {
    fc.assert(
      fc.property(stories, (story) => {
        expect(parseStory(formatStory(story, 'x'))).toEqual(story);
      }),
    );
  });

  it('tells of a line that it does not take', () => {
    expect(() => parseStory('session server\npeers x')).toThrow(
      'Line 2 is neither part of the head nor a move: peers x',
    );
    expect(() => parseStory('application waits')).toThrow(
      'The head has no "session server" or "session client"',
    );
  });
});
