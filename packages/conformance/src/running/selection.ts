/** Which cases are meant. */

/**
 * Whether an id is meant by a pattern: a group, an id, or words with `*` for anything; several are separated by commas.
 * No pattern means all.
 */
export function isSelected(id: string, pattern: string | undefined): boolean {
  if (pattern === undefined) return true;
  return pattern.split(',').some((each) => {
    const word = each.trim();
    return id === word || id.startsWith(`${word}/`) || (word.includes('*') && fits(id, word.split('*')));
  });
}

/** The parts of a pattern that mean none of the ids: misspelt ones, most likely. */
export function selectsNothing(pattern: string, ids: readonly string[]): readonly string[] {
  return pattern
    .split(',')
    .map((each) => each.trim())
    .filter((each) => !ids.some((id) => isSelected(id, each)));
}

/**
 * What a test runner is told to judge, and what it knows of: a name that means nothing would pass without a test.
 * @throws {TypeError} a part of the pattern, or a known deviation, is no case
 */
export function checkSelection(
  ids: readonly string[],
  { only, knownDeviations = [] }: { readonly only?: string; readonly knownDeviations?: readonly string[] },
): void {
  const groups = [...new Set(ids.map((id) => id.split('/')[0]))].join(', ');
  const wrong = only === undefined ? [] : selectsNothing(only, ids);
  if (wrong.length > 0) {
    throw new TypeError(
      `The option only selects no case by ${JSON.stringify(wrong[0])}; it takes groups (${groups}), ids, and words with *`,
    );
  }
  const unknown = knownDeviations.find((id) => !ids.includes(id));
  if (unknown !== undefined)
    throw new TypeError(
      `The option knownDeviations has ${JSON.stringify(unknown)}, which is the id of no case`,
    );
}

/** Whether the text consists of the pieces in their order, with anything between them. */
function fits(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let rest = text.slice(first.length, text.length - last.length);
  for (const piece of pieces.slice(1, -1)) {
    const at = rest.indexOf(piece);
    if (at < 0) return false;
    rest = rest.slice(at + piece.length);
  }
  return true;
}
