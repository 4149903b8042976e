/** Where a case is written about: a page of the documents for each group, with a heading for each case. */

/** `docs/conformance/sequence.md#rcpt-before-mail` */
export function pageOf(id: string): string {
  const [group = '', name = ''] = id.split('/');
  return `docs/conformance/${group}.md#${name}`;
}

/** The clause itself, at the RFC Editor; undefined for what is no RFC. */
export function clauseUrl(section: string): string | undefined {
  const [, rfc, number = ''] = /^RFC (\d+) §([\dA-Z.]+)$/.exec(section) ?? [];
  if (rfc === undefined) return undefined;
  const anchor = /^[A-Z]/.test(number) ? `appendix-${number}` : `section-${number}`;
  return `https://www.rfc-editor.org/rfc/rfc${rfc}#${anchor}`;
}
