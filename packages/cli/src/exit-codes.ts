/**
 * What the command's exit says to scripts: the codes of sysexits.h, as far as they are used. Scripts rely on them,
 * so none changes its meaning.
 */
export const exitCodes = {
  /** All went well: every message delivered, or the server was shut down in order. */
  ok: 0,
  /** The server that was probed deviates from a MUST, or from what its security needs. */
  deviates: 1,
  /** EX_USAGE: an option, an address or a message that cannot be used as it is. */
  usage: 64,
  /** EX_NOHOST: no such host, or no route to the domain. */
  noRoute: 68,
  /** EX_UNAVAILABLE: the message was refused for good for some recipient. */
  rejected: 69,
  /** EX_OSERR: the system did not give an address to listen on. */
  system: 71,
  /** EX_CANTCREAT: a file or folder cannot be made. */
  cannotCreate: 73,
  /** EX_IOERR: all went well, but standard output did not take the results. */
  notWritten: 74,
  /** EX_TEMPFAIL: not delivered to all now, or not known; trying again may help. */
  deferred: 75,
  /** EX_PROTOCOL: the server broke the protocol. */
  protocol: 76,
  /** EX_NOPERM: the server did not let us in, or needed TLS could not be had. */
  noAccess: 77,
} as const;
