/** A test waits for what cannot happen any more, unless virtual time passes. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
  /** What each session waits for, and until when. */
  readonly deadlines: readonly string[];

  constructor(deadlines: readonly string[]) {
    super(
      [
        'Nothing happens any more: ten turns of the event loop passed with nothing pending but a deadline of virtual time.',
        ...deadlines.map((deadline) => `  ${deadline}`),
        'Let time pass by `time.advance(milliseconds)`, or open with `realTime: true` if the program waits for something else.',
      ].join('\n'),
    );
    this.deadlines = deadlines;
  }
}
