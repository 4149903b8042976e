/** The tables of one queue, as statements name them: with their schema, whatever the search path of a connection is. */
export interface Tables {
  readonly schema: string;
  readonly format: string;
  readonly message: string;
  readonly recipient: string;
  readonly delivery: string;
  readonly claim: string;
  readonly fence: string;
  readonly chunk: string;
  readonly upload: string;
  readonly departed: string;
}

export function tablesOf(schema: string): Tables {
  const named = (name: string) => `"${schema}".${name}`;
  return {
    schema,
    format: named('format'),
    message: named('message'),
    recipient: named('recipient'),
    delivery: named('delivery'),
    claim: named('claim'),
    fence: named('fence'),
    chunk: named('chunk'),
    upload: named('upload'),
    departed: named('departed'),
  };
}
