/**
 * Which sections of which documents a rule follows, read from its words: `RFC 5321 §3.3, §4.1.1.2: for devices` cites two
 * sections of one document.
 */

/** `RFC 5321 §3.3`, `RFC 1047`, `RFC 3463 X.7.0`, `CVE-2011-0411`, `Postfix XCLIENT_README`. */
export function referencesIn(text: string): readonly string[] {
  const found: string[] = [];
  let document = '';
  let unused = '';
  const tokens = /RFC (\d+)|§([\d.]*\d)|\bX\.\d+\.\d+|CVE-\d+-\d+|Postfix [A-Z]+_README/g;
  for (const [token, number, section] of text.matchAll(tokens)) {
    if (number !== undefined) {
      if (unused !== '') found.push(unused);
      document = token;
      unused = token;
    } else if (section !== undefined || token.startsWith('X.')) {
      found.push(document === '' ? token : `${document} ${token}`);
      unused = '';
    } else {
      found.push(token);
    }
  }
  if (unused !== '') found.push(unused);
  return [...new Set(found)];
}
