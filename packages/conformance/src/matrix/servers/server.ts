/** What a server of the matrix is: how it is started on loopback, and what is told of it. */
import type { Credentials } from '../../contract/target.js';

/** Where a server may put its files, and what it is to listen on. */
export interface Place {
  /** A folder of its own, which every user may read; it is removed in the end. */
  readonly folder: string;
  readonly port: number;
  /** For TLS from the first octet on. */
  readonly tlsPort: number;
  readonly lmtpPort: number;
  /** A self-signed certificate and its key, in PEM. */
  readonly keyFile: string;
  readonly certFile: string;
}

export interface Launch {
  readonly program: string;
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What it has been set up for beside SMTP: what is not named, the matrix cannot judge. */
  readonly has?: {
    /** It lets in whoever shows `CREDENTIALS`. */
    readonly users?: boolean;
    /** It listens on `tlsPort`. */
    readonly implicitTls?: boolean;
    /** It listens on `lmtpPort`. */
    readonly lmtp?: boolean;
    /** The Maildir in which it stores all messages. */
    readonly maildir?: string;
  };
}

export interface MatrixServer {
  readonly name: string;
  /** Its configuration, in a sentence. */
  readonly configuration: string;
  /** @throws {NotRun} (rejects) it is not there */
  version(place: Place): Promise<string>;
  /**
   * Writes its configuration, and says what starts it in the foreground.
   * @throws {NotRun} (rejects) it cannot be started here
   */
  prepare(place: Place): Promise<Launch>;
}

/** The domain that each server takes mail for, and who sends and receives. */
export const DOMAIN = 'matrix.example';
export const SENDER = `alice@${DOMAIN}`;
export const RECIPIENT = `bob@${DOMAIN}`;
export const CREDENTIALS: Credentials = { user: 'alice', password: 'pencil' };

/** Why a server is not judged here. */
export class NotRun extends Error {
  override readonly name = 'NotRun';
}
