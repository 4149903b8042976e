/**
 * The GS2 header (RFC 5801 §4) before the first message of SCRAM (RFC 5802 §7) and of OAUTHBEARER (RFC 7628
 * §3.1): what the client says about channel binding, and on whose behalf it acts.
 */

/**
 * `n`: the client can do no channel binding; `y`: it can, but thinks that the server cannot; a `type`: it
 * does (RFC 5802 §6).
 */
export type BindingFlag = 'n' | 'y' | { readonly type: string };

export interface Gs2Header {
  readonly flag: BindingFlag;
  readonly authorizationIdentity: string | undefined;
  /** The header itself, to its last comma. */
  readonly header: string;
  /** What follows it. */
  readonly rest: string;
}

// The flag F of mechanisms that are no GSS-API ones (`gs2-nonstd-flag`) has no place before these two.
const HEADER = /^(?:([ny])|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,/;

/** Commas and equals signs would end a name (RFC 5802 §5.1). */
export function encodeSaslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** Undefined where an equals sign begins neither `=2C` nor `=3D` (RFC 5802 §5.1). */
export function decodeSaslName(text: string): string | undefined {
  return /=(?!2C|3D)/.test(text) ? undefined : text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

export function formatGs2Header(flag: BindingFlag, authorizationIdentity: string | undefined): string {
  const binding = typeof flag === 'string' ? flag : `p=${flag.type}`;
  return `${binding},${authorizationIdentity ? `a=${encodeSaslName(authorizationIdentity)}` : ''},`;
}

/** Undefined where the message does not begin with a header. */
export function parseGs2Header(message: string): Gs2Header | undefined {
  const match = HEADER.exec(message);
  if (match === null) return undefined;
  const [header, simple, type = '', name] = match;
  const authorizationIdentity = name === undefined ? undefined : decodeSaslName(name);
  if (name !== undefined && authorizationIdentity === undefined) return undefined;
  return {
    flag: simple === 'n' || simple === 'y' ? simple : { type },
    authorizationIdentity,
    header,
    rest: message.slice(header.length),
  };
}
