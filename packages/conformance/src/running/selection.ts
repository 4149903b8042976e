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
