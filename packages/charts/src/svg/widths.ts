/**
 * How wide text is, without a browser. The widths are those of DejaVu Sans, in thousandths of the font's size; Verdana's
 * differ by a few, and `textLength` in the pictures makes up for that. Fixed-width fonts have one width.
 */
export interface Face {
  readonly mono?: boolean;
  readonly bold?: boolean;
}

/** Pixels that `text` takes at `size` pixels. */
export function widthOf(text: string, size: number, { mono = false, bold = false }: Face = {}): number {
  let thousandths = 0;
  for (const character of text) {
    thousandths += mono ? FIXED : ((bold ? boldWidths : regularWidths).get(character) ?? UNKNOWN);
  }
  return (thousandths * size) / 1000;
}

const FIXED = 602;
/** Wider than nearly all letters: a label that is too long is ugly, one that overlaps is wrong. */
const UNKNOWN = 900;

const CHARACTERS =
  ' !"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~§→⇄…–—·↻’“”×≤≥½';
const REGULAR =
  '318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 ' +
  '636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 ' +
  '603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635 ' +
  '634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838 500 ' +
  '838 838 1000 500 1000 318 838 318 518 518 838 838 838 969';
const BOLD =
  '348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696 ' +
  '696 696 400 400 838 838 838 580 1000 774 762 734 830 683 683 821 837 372 372 775 637 995 837 850 ' +
  '733 850 770 720 682 812 774 1103 771 724 725 457 365 457 838 500 500 675 716 593 716 678 435 716 ' +
  '712 343 343 665 343 1042 712 687 716 716 493 595 478 712 652 924 645 652 582 712 365 712 838 500 ' +
  '838 838 1000 500 1000 380 838 380 657 657 838 838 838 1035';

const table = (widths: string): ReadonlyMap<string, number> => {
  const numbers = widths.split(' ').map(Number);
  return new Map([...CHARACTERS].map((character, index) => [character, numbers[index] ?? UNKNOWN]));
};
const regularWidths = table(REGULAR);
const boldWidths = table(BOLD);
