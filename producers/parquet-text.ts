/** The type of a Parquet column, as far as the text of its values depends on it. */
export interface ParquetType {
  readonly physical: string | undefined;
  /** The logical type; for older files the converted type, under the logical one's name. */
  readonly logical: 'DECIMAL' | 'TIMESTAMP' | 'DATE' | 'STRING' | 'UUID' | 'INTEGER' | 'OTHER' | undefined;
  /** Digits after the point of a DECIMAL. */
  readonly scale: number;
  /** Digits of a TIMESTAMP's second: 3, 6 or 9. */
  readonly secondDigits: number;
  /** Whether a TIMESTAMP is an instant; otherwise it is a calendar time without a zone. */
  readonly isInstant: boolean;
  readonly isUnsigned: boolean;
}

const MILLISECOND_DIGITS = 3;
const SIGNIFICANT_DIGITS_OF_FLOAT = 9;
const NANOSECOND_DIGITS = 9;
const MILLISECONDS_PER_DAY = 86_400_000;
/** The range of a Date: beyond it, a stamp is written as its number. */
const MILLISECONDS_MAX = 8_640_000_000_000_000n;

/** How the values of a column are written; undefined where trades have no value of its type. */
export function parquetTextOf(type: ParquetType): ((value: unknown) => string) | undefined {
  const text = textOfPresent(type);
  return text === undefined ? undefined : (value) => (value === null || value === undefined ? '' : text(value));
}

function textOfPresent(type: ParquetType): ((value: unknown) => string) | undefined {
  const { physical, logical } = type;
  if (logical === 'OTHER') return undefined;
  // The old type of Impala and Spark, given as nanoseconds since 1970.
  if (physical === 'INT96') return (value) => instantText(value as bigint, NANOSECOND_DIGITS, false);
  if (logical === 'TIMESTAMP') {
    return (value) => instantText(value as bigint, type.secondDigits, type.isInstant);
  }
  if (logical === 'DATE') return (value) => new Date((value as number) * MILLISECONDS_PER_DAY).toISOString();
  if (logical === 'DECIMAL') return (value) => decimalText(unscaledOf(value), type.scale);
  if (logical === 'UUID') return (value) => uuidText(value as Uint8Array);
  if (physical === 'BOOLEAN' || physical === 'DOUBLE') return String;
  if (physical === 'FLOAT') return (value) => floatText(value as number);
  if (physical === 'INT32') return (value) => String(type.isUnsigned ? (value as number) >>> 0 : value);
  if (physical === 'INT64') return (value) => String(type.isUnsigned ? BigInt.asUintN(64, value as bigint) : value);
  if (physical === 'BYTE_ARRAY') return (value) => Buffer.from(value as Uint8Array).toString('utf8');
  return undefined;
}

/** `2025-01-01T00:00:00.123456Z`; without the Z where the file does not declare it an instant. */
function instantText(count: bigint, secondDigits: number, isInstant: boolean): string {
  const perMillisecond = BigInt('1'.padEnd(1 + secondDigits - MILLISECOND_DIGITS, '0'));
  let milliseconds = count / perMillisecond;
  let rest = count % perMillisecond;
  if (rest < 0n) {
    rest += perMillisecond;
    milliseconds -= 1n;
  }
  if (milliseconds > MILLISECONDS_MAX || milliseconds < -MILLISECONDS_MAX) return count.toString();
  const toTheMillisecond = new Date(Number(milliseconds)).toISOString().slice(0, -1);
  const finer =
    secondDigits > MILLISECOND_DIGITS ? rest.toString().padStart(secondDigits - MILLISECOND_DIGITS, '0') : '';
  return `${toTheMillisecond}${finer}${isInstant ? 'Z' : ''}`;
}

function unscaledOf(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as bigint | number);
  let unscaled = 0n;
  for (const byte of value) unscaled = unscaled * 256n + BigInt(byte);
  return BigInt.asIntN(8 * value.length, unscaled);
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return unscaled < 0n ? `-${text}` : text;
}

/** The shortest decimal for this 32-bit float, as {@link String} gives for a 64-bit one. */
function floatText(value: number): string {
  for (let digits = 1; digits < SIGNIFICANT_DIGITS_OF_FLOAT; digits += 1) {
    const shortest = Number(value.toPrecision(digits));
    if (Math.fround(shortest) === value) return String(shortest);
  }
  return String(Number(value.toPrecision(SIGNIFICANT_DIGITS_OF_FLOAT)));
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
