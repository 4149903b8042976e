/** A shorter story with the same fault. */
import { run } from './running.js';
import type { Move, Story } from './story.js';

/** Two stories show the same fault if it begins alike: the first line, and where it was thrown. */
const kindOf = (fault: string | undefined): string | undefined => fault?.split('\n').slice(0, 2).join('\n');

export function shrunk(story: Story, faultOf = (some: Story) => run(some).fault): Story {
  const kind = kindOf(faultOf(story));
  const fails = (moves: readonly Move[]): boolean => kindOf(faultOf({ ...story, moves })) === kind;
  let moves = shortened(story.moves, (some) => fails(some));
  for (let index = 0; index < moves.length; index++) {
    const move = moves[index];
    if (move?.by !== 'peer') continue;
    const withOctets = (octets: readonly number[]): Move[] =>
      moves.with(index, { by: 'peer', octets: Uint8Array.from(octets) });
    moves = withOctets(shortened([...move.octets], (octets) => fails(withOctets(octets))));
  }
  return { ...story, moves };
}

/** Leaves out pieces, halves first, as long as what is left still fails. */
function shortened<Item>(items: readonly Item[], fails: (items: readonly Item[]) => boolean): Item[] {
  let left = [...items];
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let begin = 0; begin < left.length; ) {
      const without = [...left.slice(0, begin), ...left.slice(begin + size)];
      if (fails(without)) left = without;
      else begin += size;
    }
  }
  return left;
}
