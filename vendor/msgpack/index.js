'use strict';

/*
 * Stand-in for the native `msgpack` addon, which no longer compiles on a supported Node.
 *
 * swim 0.6.0 requires `msgpack` when it is loaded, whichever codec it is then told to use. ledger-node always asks for the
 * codec `json`, so nothing here is on the wire. Both functions still do what their names promise for every JSON value;
 * the bytes are JSON in UTF-8 and NOT the MessagePack format: both ends have to be this module.
 */

/**
 * @param {unknown} value any JSON value. What JSON would lose without a word (undefined, functions, symbols, BigInt,
 *   NaN and the infinities, at any depth) is refused with a TypeError.
 * @returns {Buffer} the value as JSON in UTF-8
 */
function pack(value) {
  return Buffer.from(JSON.stringify(value, refuseWhatJsonLoses), 'utf8');
}

/**
 * @param {Buffer} buffer what `pack` returned
 * @returns {unknown} the value that was packed
 * @throws {SyntaxError} when the bytes are not one JSON value
 */
function unpack(buffer) {
  return JSON.parse(buffer.toString('utf8'));
}

/**
 * @param {string} key
 * @param {unknown} value
 */
function refuseWhatJsonLoses(key, value) {
  const kind = typeof value;
  const lost =
    kind === 'undefined' ||
    kind === 'function' ||
    kind === 'symbol' ||
    kind === 'bigint' ||
    (kind === 'number' && !Number.isFinite(value));
  if (lost) {
    throw new TypeError(`msgpack stand-in: the value at key "${key}" is ${String(value)}, which JSON cannot carry.`);
  }
  return value;
}

module.exports = { pack, unpack };
