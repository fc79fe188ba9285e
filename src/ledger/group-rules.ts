import { type ApplyContext } from './apply-context';
import { CommandRange, LogRecordField } from './command-codec';
import { GroupDigest } from './group-digest';
import { OutcomeFlag } from './outcome-row';
import { ResultCode, burnsId } from './result-codes';
import { type Tables } from './tables';
import { decodeTransfer } from './transfer-codec';
import { IdKind, TransferFields, type IdFields } from './transfer-fields';
import { type TransferRules } from './transfer-rules';
import { WireReader } from './wire';

const LENGTH_BYTES = 4;

/**
 * Linked groups: transfers of which all are done or none (docs/rules-of-money.md, "Linked groups"). The records of a group
 * stand one behind the other in one chunk; each says the group's id, its place, and how many there are.
 */
export class GroupRules {
  private readonly fields = new TransferFields();
  private readonly range = new CommandRange();
  private readonly wire = new WireReader();
  private readonly digest: GroupDigest;
  /** Of each member, where its TransferCommand begins and ends. */
  private readonly places: number[] = [];
  private readonly id = new Uint8Array(64);
  private idLength = 0;
  private idKind: number = IdKind.NONE;

  constructor(
    private readonly tables: Tables,
    private readonly rules: TransferRules,
  ) {
    this.digest = new GroupDigest(rules.decimal);
  }

  /**
   * Applies the group that begins with the record at `at`.
   * @param at index in `body` of the record's length
   * @param left records in the chunk from this one on
   * @returns how many records it was; 0 where they do not make a group: then nothing was done, not even answered
   */
  apply(body: Buffer, at: number, left: number, context: ApplyContext): number {
    const size = this.readMembers(body, at, left);
    if (size === 0) return 0;
    const { fields, rules, tables } = this;
    const digest = this.digest.finish();
    this.decode(body, 0);
    const age = rules.ages.fault(fields.source, fields.group, context.time);
    const known = tables.groups.find(fields.source, fields.group);
    if (age !== ResultCode.OK) this.refuseAll(size, age, context);
    else if (known < 0) this.perform(body, size, digest, context);
    else if (tables.groups.hasDigest(known, digest) || this.saysTheSame(body, known, size, context)) {
      this.answerAgain(known, context);
    } else this.refuseAll(size, ResultCode.EXISTS_WITH_DIFFERENT_TRANSFERS, context);
    return size;
  }

  /** Checks that there is a whole group, and takes its digest; 0 where there is none. */
  private readMembers(body: Buffer, at: number, left: number): number {
    const { fields, digest, places } = this;
    places.length = 0;
    digest.begin();
    let size = 1;
    for (let i = 0, next = at; i < size; i++) {
      const start = next + LENGTH_BYTES;
      next = start + body.readUInt32LE(next);
      this.range.find(body, start, next);
      if (this.range.field !== LogRecordField.TRANSFER) return 0;
      places.push(this.range.start, this.range.end);
      if (!this.decode(body, i) || fields.groupIndex !== i) return 0;
      if (i === 0) {
        size = fields.groupSize;
        if (size > left || !this.rules.shape.isIdValid(fields, fields.group)) return 0;
        this.keepId(fields.group);
      } else if (fields.groupSize !== size || !this.isKeptId(fields.group)) return 0;
      digest.add(fields);
    }
    return size;
  }

  private decode(body: Buffer, member: number): boolean {
    const start = this.places[2 * member] as number;
    const end = this.places[2 * member + 1] as number;
    const isTransfer = decodeTransfer(this.wire, this.fields, body, start, end);
    // The words of a text id, which the look-up of a group needs before its members are looked at.
    if (isTransfer) this.rules.shape.isIdValid(this.fields, this.fields.group);
    return isTransfer;
  }

  private perform(body: Buffer, size: number, digest: Uint32Array, context: ApplyContext): void {
    const { fields, rules, tables } = this;
    const mark = tables.begin();
    const { offset, time } = context;
    const firstRow = tables.transfers.count;
    const number = tables.groups.count + 1;
    for (let i = 0; i < size; i++) {
      this.decode(body, i);
      const result = this.decideMember(context);
      if (result === ResultCode.OK) {
        rules.perform(fields, context, number);
        context.nextRecord();
        continue;
      }
      tables.rollBack(mark);
      tables.uncount(ResultCode.OK, i);
      context.goBack(i);
      this.refuse(i, size, result, context);
      // A member that was refused before is refused for ever, so the group need not be remembered to be.
      if (!burnsId(result) || rules.first >= 0) return;
      tables.groups.add({ id: fields.group, source: body, digest, offset, time, firstRow, size, failed: i, result });
      return;
    }
    tables.commit(mark);
    this.decode(body, 0);
    const result = ResultCode.OK;
    tables.groups.add({ id: fields.group, source: body, digest, offset, time, firstRow, size, failed: -1, result });
  }

  /** A member whose id is known fails the group: with its own refusal, with what differs, or with `exists`. */
  private decideMember(context: ApplyContext): ResultCode {
    const { rules, tables } = this;
    const result = rules.decide(this.fields, context.time);
    if (rules.first < 0 || result !== ResultCode.OK) return result;
    const before: ResultCode = tables.transfers.result(rules.first);
    return before === ResultCode.OK ? ResultCode.EXISTS : before;
  }

  /** The one that failed keeps its own result, and its id is bound to it where such a refusal binds; the others are free. */
  private refuse(failed: number, size: number, result: ResultCode, context: ApplyContext): void {
    const { fields, rules, tables } = this;
    for (let i = 0; i < size; i++) {
      if (i !== failed) {
        context.write(ResultCode.LINKED_TRANSFER_FAILED, 0, 0, 0, undefined);
        tables.count(ResultCode.LINKED_TRANSFER_FAILED);
      } else {
        // Known before: then it stands in the table with that refusal.
        if (burnsId(result) && rules.first < 0) rules.remember(result, fields, context, tables.groups.count + 1);
        rules.answerRefusal(result, context);
      }
      context.nextRecord();
    }
  }

  private refuseAll(size: number, result: ResultCode, context: ApplyContext): void {
    for (let i = 0; i < size; i++) {
      context.write(result, 0, 0, 0, undefined);
      this.tables.count(result);
      context.nextRecord();
    }
  }

  /** Of a group that was done, whether it says the same in other words: a handle for a name, minor units for a decimal. */
  private saysTheSame(body: Buffer, group: number, size: number, context: ApplyContext): boolean {
    const { rules } = this;
    const { groups } = this.tables;
    if (groups.failed(group) >= 0 || groups.size(group) !== size) return false;
    for (let i = 0; i < size; i++) {
      this.decode(body, i);
      const isSame = rules.decide(this.fields, context.time) === ResultCode.OK;
      if (!isSame || rules.first !== groups.firstRow(group) + i) return false;
    }
    return true;
  }

  /** The first answers again, all of them. */
  private answerAgain(group: number, context: ApplyContext): void {
    const { groups } = this.tables;
    const failed = groups.failed(group);
    const first = groups.firstRow(group);
    const offset = groups.offset(group);
    for (let i = 0; i < groups.size(group); i++) {
      if (failed < 0) this.rules.repeats.answer(first + i, context);
      else if (failed === i) this.rules.repeats.answer(first, context);
      else {
        const refused = OutcomeFlag.REPLAYED | OutcomeFlag.REFUSED_BEFORE;
        context.write(ResultCode.LINKED_TRANSFER_FAILED, refused, 0, 0, undefined);
        context.setPlace(offset < 0 ? offset : offset + i, groups.timestamp(group));
        this.tables.replayed++;
      }
      context.nextRecord();
    }
  }

  private keepId(id: IdFields): void {
    this.idKind = id.kind;
    const bytes = this.idBytes(id);
    this.id.set(bytes);
    this.idLength = bytes.length;
  }

  private isKeptId(id: IdFields): boolean {
    const bytes = this.idBytes(id);
    return id.kind === this.idKind && bytes.length === this.idLength && bytes.every((byte, i) => byte === this.id[i]);
  }

  private idBytes(id: IdFields): Uint8Array {
    if (id.kind === IdKind.TEXT) return this.fields.source.subarray(id.textStart, id.textStart + id.textLength);
    return new Uint8Array(id.words.buffer, 0, 16);
  }
}
