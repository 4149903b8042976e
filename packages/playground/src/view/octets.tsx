/** The octets of one line: in hex, with the parts that the parser found, what they mean, and which of them offend. */
import { meaningOf, offendingOctets, partWords } from '../meaning/meanings.js';
import type { WireLine } from '../recording/recording.js';

/** So many are shown. */
const MOST_OCTETS = 512;
const IN_A_ROW = 16;

export function Octets({ line }: { readonly line: WireLine | undefined }) {
  if (line === undefined) {
    return <p class="empty">Nothing has been said yet. Step on, or choose a line.</p>;
  }
  const meaning = meaningOf(line);
  const { octets, length, from, spans, reason } = line;
  return (
    <>
      <p class="meaning">
        <strong class={from}>{headline(line)}</strong> {meaning?.words}{' '}
        {meaning && <span class="reference">{meaning.reference}</span>}
      </p>
      {reason && <p class="reason">{reason.sentence}.</p>}
      {octets === undefined ? (
        <p class="withheld">
          {length ?? 'Some'} octets, which are not shown: they belong to an AUTH exchange.
        </p>
      ) : (
        <>
          <Parts spans={spans} />
          <Hex octets={octets} spans={spans} isMailData={line.isMailData || line.isForged} />
        </>
      )}
    </>
  );
}

function headline({ verb, code, isMailData, length, from }: WireLine): string {
  const what = isMailData ? 'Mail data' : (code ?? verb ?? 'A line');
  return `${what}, ${length ?? '?'} octets from the ${from}.`;
}

function Parts({ spans }: Pick<WireLine, 'spans'>) {
  const parts = [...new Set(spans.map(({ part }) => part))];
  if (parts.length === 0) return null;
  return (
    <ul class="parts">
      {parts.map((part) => (
        <li key={part}>
          <span class={`part part-${part}`}>{part === 'enhancedCode' ? 'enhanced code' : part}</span>{' '}
          {partWords(part)}
        </li>
      ))}
      <li>
        <span class="part part-end">0d 0a</span> the end of the line
      </li>
    </ul>
  );
}

interface HexProperties extends Pick<WireLine, 'spans'> {
  readonly octets: Uint8Array;
  readonly isMailData: boolean;
}

function Hex({ octets, spans, isMailData }: HexProperties) {
  const offending = isMailData ? offendingOctets(octets) : new Set<number>();
  const [first] = offending;
  const begin = first === undefined ? 0 : Math.max(0, Math.floor(first / IN_A_ROW) - 3) * IN_A_ROW;
  const end = Math.min(octets.length, begin + MOST_OCTETS);
  const partAt = (index: number): string => {
    const span = spans.find(({ from, to }) => index >= from && index < to);
    if (span !== undefined) return `part-${span.part}`;
    return octets[index] === 13 || octets[index] === 10 ? 'part-end' : '';
  };
  const classAt = (index: number): string =>
    `${partAt(index)} ${offending.has(index) ? 'offending' : ''}`.trim();
  const rows = Array.from(
    { length: Math.ceil((end - begin) / IN_A_ROW) },
    (_, row) => begin + row * IN_A_ROW,
  );
  return (
    <>
      {first !== undefined && (
        <p class="offence" role="note">
          Octet {first} offends: {nameOf(octets[first])} that is not part of a CRLF (RFC 5321 §2.3.8).
        </p>
      )}
      {begin > 0 && <p class="more">… {begin} octets before</p>}
      <table class="hex">
        <caption class="for-readers">The octets in hexadecimal, sixteen in a row, and as text</caption>
        <tbody>
          {rows.map((start) => {
            const indexes = Array.from({ length: Math.min(IN_A_ROW, end - start) }, (_, at) => start + at);
            return (
              <tr key={start}>
                <th scope="row">{start.toString(16).padStart(4, '0')}</th>
                <td class="hex-octets">
                  {indexes.map((index) => (
                    <span key={index} class={classAt(index)}>
                      {(octets[index] ?? 0).toString(16).padStart(2, '0')}
                    </span>
                  ))}
                </td>
                <td class="hex-text">
                  {indexes.map((index) => (
                    <span key={index} class={classAt(index)}>
                      {characterOf(octets[index] ?? 0)}
                    </span>
                  ))}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {end < octets.length && <p class="more">… {octets.length - end} octets more</p>}
    </>
  );
}

function characterOf(octet: number): string {
  return octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '·';
}

function nameOf(octet: number | undefined): string {
  return octet === 10 ? 'a LF' : octet === 13 ? 'a CR' : 'a NUL';
}
