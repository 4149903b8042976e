/** How a case ends before its time: by a deviation, or because it cannot be judged. */

/** The server did not do what the clause demands. */
export class Deviation extends Error {
  override readonly name = 'Deviation';
}

/** Nothing can be said about the server: a prerequisite is missing, or it announced a limit. */
export class CannotJudge extends Error {
  override readonly name = 'CannotJudge';
}
