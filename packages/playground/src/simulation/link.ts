/** The simulated connection: what is under way between the two ends, in each direction in order. */
import type { Segmentation } from './choices.js';
import { ENDS, type End } from './ends.js';

/** Milliseconds that octets take from one end to the other. */
export const LATENCY = 20;

/** Flights of more octets are not cut at each octet: nobody would step through thousands. */
const MOST_SINGLE_OCTETS = 2048;

/** What fits into a segment on Ethernet. */
const SEGMENT_OCTETS = 1460;

/** What one end sends in one turn. */
export interface Flight {
  readonly from: End;
  readonly octets: Uint8Array;
  /** How many octets that end has sent before. */
  readonly offset: number;
  readonly arrivesAt: number;
  /** Somebody on the way has put it there, or changed it. */
  readonly forged: boolean;
  /** Nothing follows: the end closes its sending side. */
  readonly last: boolean;
}

export class Link {
  readonly #underWay: Record<End, Flight[]> = { client: [], server: [] };
  readonly #sent: Record<End, number> = { client: 0, server: 0 };

  send(from: End, octets: Uint8Array, now: number, forged: boolean): void {
    this.#add({ from, octets, offset: this.#sent[from], arrivesAt: now + LATENCY, forged, last: false });
  }

  /** That end sends nothing more. */
  end(from: End, now: number): void {
    const offset = this.#sent[from];
    this.#add({ from, octets: NOTHING, offset, arrivesAt: now + LATENCY, forged: false, last: true });
  }

  /** Puts octets in the place of the flight that arrives next, or before the end of all. */
  forge(from: End, octets: Uint8Array, now: number): void {
    const replaced = this.next(from)?.last ? undefined : this.#underWay[from].shift();
    const offset = replaced?.offset ?? this.#sent[from];
    this.#sent[from] += octets.length - (replaced?.octets.length ?? 0);
    this.#underWay[from].unshift({ from, octets, offset, arrivesAt: now, forged: true, last: false });
  }

  /** What arrives from that end next. */
  next(from: End): Flight | undefined {
    return this.#underWay[from][0];
  }

  take(from: End): void {
    this.#underWay[from].shift();
  }

  delay(from: End, milliseconds: number): void {
    this.#underWay[from] = this.#underWay[from].map((flight) => ({
      ...flight,
      arrivesAt: flight.arrivesAt + milliseconds,
    }));
  }

  /** Loses all that is under way. */
  cut(): void {
    for (const end of ENDS) this.#underWay[end] = [];
  }

  #add(flight: Flight): void {
    const before = this.#underWay[flight.from].at(-1)?.arrivesAt ?? 0;
    this.#underWay[flight.from].push({ ...flight, arrivesAt: Math.max(before, flight.arrivesAt) });
    this.#sent[flight.from] += flight.octets.length;
  }
}

const NOTHING = new Uint8Array();

/** The segments in which a flight arrives. */
export function segmentsOf({ from, octets, offset }: Flight, { mode, cuts }: Segmentation): Uint8Array[] {
  const size = mode === 'whole' ? octets.length : octets.length > MOST_SINGLE_OCTETS ? SEGMENT_OCTETS : 1;
  const ends = new Set<number>([octets.length]);
  for (let end = size; size > 0 && end < octets.length; end += size) ends.add(end);
  for (const cut of cuts[from]) if (cut > offset && cut < offset + octets.length) ends.add(cut - offset);
  let begin = 0;
  return [...ends]
    .sort((a, b) => a - b)
    .map((end) => {
      const segment = octets.subarray(begin, end);
      begin = end;
      return segment;
    });
}
