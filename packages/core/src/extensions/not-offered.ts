/**
 * What a client meets where its mail needs a service extension that the server did not offer.
 */

/** The codes that the extensions' RFCs give for it; of the others, 5.5.4 says that an argument cannot be had. */
const ENHANCED_CODES: ReadonlyMap<string, string> = new Map([
  ['SMTPUTF8', '5.6.7'], // RFC 6531 §3.5
  ['8BITMIME', '5.6.3'], // RFC 3463 §3.7: conversion required but not supported
  ['BINARYMIME', '5.6.1'], // RFC 3463 §3.7: media not supported
  ['REQUIRETLS', '5.7.30'], // RFC 8689 §2
  ['RRVS', '5.7.19'], // RFC 7293 §5.1.1, §15.3
]);

/** The mail must not be sent: it needs a service extension that the server does not offer. Nothing was sent. */
export class ExtensionNotOfferedError extends Error {
  override readonly name = 'ExtensionNotOfferedError';
  /** The extension's EHLO keyword. */
  readonly keyword: string;
  /** The reply code for whoever handed the mail in. */
  readonly responseCode = 554;
  readonly enhancedCode: string;

  constructor(keyword: string) {
    super(
      `The mail needs ${keyword}, which the server does not offer; send it by another server, or without`,
    );
    this.keyword = keyword;
    this.enhancedCode = ENHANCED_CODES.get(keyword) ?? '5.5.4';
  }
}
