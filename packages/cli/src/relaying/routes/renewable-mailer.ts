/**
 * A mailer that is made anew while mail goes through it, because a file has changed that it was made by. What is under way ends by the
 * old one, which then says QUIT: no session stays that has authenticated by an old password, or trusts who is not trusted any more.
 */
import type { CloseOptions, Mailer } from '@sansmtp/delivery';

export class RenewableMailer implements Mailer {
  readonly #make: () => Mailer;
  #current: Mailer;
  /** Which have something under way yet. */
  readonly #leaving = new Set<Mailer>();

  constructor(make: () => Mailer) {
    this.#make = make;
    this.#current = make();
  }

  send(...given: Parameters<Mailer['send']>): ReturnType<Mailer['send']> {
    return this.#current.send(...given);
  }

  /** @throws what making one throws; then the old one stays */
  renew(): void {
    const old = this.#current;
    this.#current = this.#make();
    this.#leaving.add(old);
    const gone = () => this.#leaving.delete(old);
    old.close().then(gone, gone);
  }

  async close(options?: CloseOptions): Promise<void> {
    await Promise.all([this.#current, ...this.#leaving].map((each) => each.close(options)));
  }
}
