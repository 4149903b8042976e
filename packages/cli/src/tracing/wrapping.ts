/** Text in rows of a terminal. */

/**
 * The text in rows of no more columns than `width`: broken at blanks where that can be, and indented from the second on.
 * Takes time in proportion to the text, however that was made.
 */
export function wrapped(text: string, width: number, indent = 3): readonly string[] {
  const rows: string[] = [];
  let head = '';
  for (let start = 0; ; head = ' '.repeat(indent)) {
    const limit = start + lengthWithin(text, start, width - head.length);
    if (limit >= text.length) return [...rows, head + text.slice(start)];
    // The row may end before the blank that no longer fits. At the beginning blanks are an indentation.
    const row = text.slice(start, limit + 1);
    const blank = row.lastIndexOf(' ');
    const end = row.slice(0, Math.max(0, blank)).trim() === '' ? limit : start + blank;
    rows.push(head + text.slice(start, end));
    start = end;
    while (text.charAt(start) === ' ') start += 1;
    if (start === text.length) return rows;
  }
}

/** How much of the text, from `start` on, has room in so many columns; at least one character. */
function lengthWithin(text: string, start: number, columns: number): number {
  let at = start;
  for (let left = columns; at < text.length; ) {
    const code = text.codePointAt(at) ?? 0;
    left -= columnsOf(code);
    if (left < 0 && at > start) break;
    at += code > 0xffff ? 2 : 1;
  }
  return at - start;
}

/** What takes two columns: Unicode's East Asian wide characters, nearly all of them, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Of a character in a terminal. */
export function columnsOf(code: number): number {
  if (code < 0x300) return 1;
  const character = String.fromCodePoint(code);
  if (/\p{M}/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
