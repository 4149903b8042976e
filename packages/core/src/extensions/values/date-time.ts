/**
 * Date-times of RFC 3339, such as `2024-02-29T23:59:59Z`: whether a text is one, and which instant it means. Only
 * arithmetic: what time it is now is not known here.
 */

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d(?:\.\d+)?)(?:Z|([+-])(\d\d):(\d\d))$/i;

/** RFC 3339 §5.7. */
function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 1970-01-01; years are taken to begin with March, so that a leap day comes last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const monthsSinceMarch = (month + 9) % 12;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return 365 * marchYear + leapDays + Math.floor((153 * monthsSinceMarch + 2) / 5) + day - 719_469;
}

/**
 * The instant that a date-time of RFC 3339 §5.6 means, in seconds from 1970-01-01T00:00:00Z, or undefined when the
 * text is none. A leap second passes at the end of any day of UTC: which days have one is not known in advance.
 */
export function instantOf(dateTime: string): number | undefined {
  const match = DATE_TIME.exec(dateTime);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const offsetHours = Number(match[8] ?? 0);
  const offsetMinutes = Number(match[9] ?? 0);
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || offsetHours > 23 || offsetMinutes > 59) return undefined;

  const offset = (match[7] === '-' ? -1 : 1) * (60 * offsetHours + offsetMinutes);
  const minutes = 1440 * daysSinceEpoch(year, month, day) + 60 * hour + minute - offset;
  const lastMinuteOfDay = (minutes + 1) % 1440 === 0;
  if (second >= (lastMinuteOfDay ? 61 : 60)) return undefined;
  return 60 * minutes + second;
}
