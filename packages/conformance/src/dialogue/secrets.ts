/** What may be a password does not stand in transcripts, which are passed on: what a client answers to AUTH. */

/** A response; of those that hold nothing, and of those that are no base64, all is shown. */
export function openResponse(line: string): string {
  const holdsNothing = line === '' || line === '*' || line === '=' || !/^[A-Za-z\d+/]+=*$/.test(line);
  return holdsNothing ? line : `(${line.length} octets that are not shown)`;
}

/** A command, of which the initial response of AUTH (RFC 4954 §4) is treated likewise. */
export function openCommand(line: string): string {
  const words = /^AUTH +[^ ]+ +(?! )/i.exec(line);
  if (words === null) return line;
  const [begin] = words;
  return `${begin}${openResponse(line.slice(begin.length))}`;
}
