'use strict';

/*
 * Stand-in for the native `farmhash` addon, whose installation downloads a binary.
 *
 * swim 0.6.0 calls `hash64` for one purpose: to compare the checksum of two nodes' member lists. Any good hash does, as
 * long as every node uses the same one. This is FNV-1a (Fowler, Noll, Vo; draft-eastlake-fnv), so the values are NOT those
 * of Google's FarmHash, and none of them may be stored or compared with what another implementation computes.
 */

const FNV32_OFFSET_BASIS = 0x811c9dc5;
const FNV32_PRIME = 0x01000193;
const FNV64_OFFSET_BASIS = 0xcbf29ce484222325n;
const FNV64_PRIME = 0x100000001b3n;

/**
 * 32 bit FNV-1a.
 * @param {string | Buffer} input a string is hashed as its UTF-8 bytes
 * @returns {number} an unsigned 32 bit integer
 */
function hash32(input) {
  let hash = FNV32_OFFSET_BASIS;
  for (const byte of bytesOf(input)) {
    hash = Math.imul(hash ^ byte, FNV32_PRIME);
  }
  return hash >>> 0;
}

/**
 * 64 bit FNV-1a.
 * @param {string | Buffer} input a string is hashed as its UTF-8 bytes
 * @returns {string} an unsigned 64 bit integer in decimal: the native addon returns a string too
 */
function hash64(input) {
  let hash = FNV64_OFFSET_BASIS;
  for (const byte of bytesOf(input)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV64_PRIME);
  }
  return hash.toString();
}

/** @param {unknown} input */
function bytesOf(input) {
  if (typeof input === 'string') {
    return Buffer.from(input, 'utf8');
  }
  if (Buffer.isBuffer(input)) {
    return input;
  }
  throw new TypeError(`farmhash stand-in: expected a string or a Buffer, got ${typeof input}.`);
}

module.exports = { hash32, hash64 };
