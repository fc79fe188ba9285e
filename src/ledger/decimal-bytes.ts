/**
 * Plain decimal text (`digits[.digits]`) read straight from a record's bytes into 128-bit minor units: the state machine's
 * own path, where nothing is allocated. What it reads is what `normaliseAmount` and `minorFromText` read.
 */
import { MAX_DIGITS } from './amounts';
import { ResultCode } from './result-codes';
import { isZero128, multiplyAdd128 } from './words';

const POINT = 46;
const ZERO = 48;
const NINE = 57;
const FIVE = 53;
/** Longest text that is looked at; longer ones are no amount. */
const MAX_TEXT = 128;

/** A plain decimal found in bytes: where its parts are. One instance is used again and again. */
export class DecimalBytes {
  private bytes: Uint8Array = new Uint8Array(0);
  /** First significant digit before the point, and the end of the part before the point. */
  private wholeStart = 0;
  private wholeEnd = 0;
  private fractionStart = 0;
  /** End of the last digit after the point that is not zero. */
  private fractionEnd = 0;

  /** False when the bytes are no plain decimal. */
  scan(bytes: Uint8Array, start: number, length: number): boolean {
    if (length === 0 || length > MAX_TEXT) return false;
    const end = start + length;
    let at = start;
    while (at < end && isDigit(bytes[at])) at++;
    if (at === start) return false;
    this.bytes = bytes;
    this.wholeStart = start;
    this.wholeEnd = at;
    while (this.wholeStart < this.wholeEnd && bytes[this.wholeStart] === ZERO) this.wholeStart++;
    this.fractionStart = this.fractionEnd = at;
    if (at === end) return true;
    if (bytes[at] !== POINT || at + 1 === end) return false;
    this.fractionStart = at + 1;
    for (at++; at < end; at++) if (!isDigit(bytes[at])) return false;
    this.fractionEnd = end;
    while (this.fractionEnd > this.fractionStart && bytes[this.fractionEnd - 1] === ZERO) this.fractionEnd--;
    return true;
  }

  /** Digits after the point, without trailing zeros. */
  get fractionDigits(): number {
    return this.fractionEnd - this.fractionStart;
  }

  /** The fault of a text that no ledger could hold, whatever its scale; OK where there is none. */
  faultAtAnyScale(): ResultCode {
    const wholeDigits = this.wholeEnd - this.wholeStart;
    if (wholeDigits === 0 && this.fractionDigits === 0) return ResultCode.AMOUNT_MUST_NOT_BE_ZERO;
    if (wholeDigits > MAX_DIGITS) return ResultCode.AMOUNT_TOO_LARGE;
    return wholeDigits + this.fractionDigits > MAX_DIGITS ? ResultCode.AMOUNT_PRECISION : ResultCode.OK;
  }

  /** Writes all digits as one integer, so that the value is `coefficient / 10^fractionDigits`. Only where `faultAtAnyScale` is OK. */
  readCoefficient(target: Uint32Array, at: number): void {
    target.fill(0, at, at + 4);
    this.appendDigits(target, at, this.wholeStart, this.wholeEnd);
    this.appendDigits(target, at, this.fractionStart, this.fractionEnd);
  }

  /** Writes the minor units at `scale`. Rounding is half away from zero: the first digit that is dropped decides. */
  readMinor(scale: number, halfUp: boolean, target: Uint32Array, at: number): ResultCode {
    const dropped = this.fractionDigits - scale;
    if (this.wholeEnd - this.wholeStart > MAX_DIGITS - scale) return ResultCode.AMOUNT_TOO_LARGE;
    if (dropped > 0 && !halfUp) return ResultCode.AMOUNT_PRECISION;
    target.fill(0, at, at + 4);
    this.appendDigits(target, at, this.wholeStart, this.wholeEnd);
    this.appendDigits(target, at, this.fractionStart, dropped > 0 ? this.fractionStart + scale : this.fractionEnd);
    for (let missing = -dropped; missing > 0; missing -= 6) {
      multiplyAdd128(target, at, 10 ** Math.min(missing, 6), 0);
    }
    if (dropped > 0 && (this.bytes[this.fractionStart + scale] as number) >= FIVE) {
      multiplyAdd128(target, at, 1, 1);
      if (isTenToThe38(target, at)) return ResultCode.AMOUNT_TOO_LARGE;
    }
    return isZero128(target, at) ? ResultCode.AMOUNT_MUST_NOT_BE_ZERO : ResultCode.OK;
  }

  private appendDigits(target: Uint32Array, at: number, start: number, end: number): void {
    for (let i = start; i < end;) {
      let group = 0;
      let factor = 1;
      for (; i < end && factor < 1_000_000; i++) {
        group = group * 10 + (this.bytes[i] as number) - ZERO;
        factor *= 10;
      }
      multiplyAdd128(target, at, factor, group);
    }
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** 10^38 = 0x4b3b4ca8_5a86c47a_098a2240_00000000: what rounding 38 nines up gives. */
function isTenToThe38(words: Uint32Array, at: number): boolean {
  return (
    words[at] === 0 && words[at + 1] === 0x098a2240 && words[at + 2] === 0x5a86c47a && words[at + 3] === 0x4b3b4ca8
  );
}
