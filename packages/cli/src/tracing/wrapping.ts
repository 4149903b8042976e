/** The text in rows that are no longer than this: broken at blanks where that can be, and indented from the second on. */
export function wrapped(text: string, width: number, indent = 3): readonly string[] {
  const rows: string[] = [];
  let rest = text;
  let room = width;
  while (rest.length > room) {
    const blank = rest.lastIndexOf(' ', room);
    // Not at the blanks at the beginning, which are an indentation.
    const end = rest.slice(0, blank).trim() === '' ? room : blank;
    rows.push(rest.slice(0, end));
    rest = ' '.repeat(indent) + rest.slice(end).trimStart();
    room = width;
  }
  return [...rows, rest];
}
