import type { Place } from '../support/faulty-files';
import { SEGMENT_HEADER_BYTES } from '../../src/log/segment-header';
import { SECTOR_BYTES } from '../support/faulty-inode';
import { Aim } from './aim';
import type { SimNode } from './sim-node';
import { MILLISECOND } from './virtual-time';

const SEGMENT = /\.log$/;
/** About one flush. */
const END_BYTES = 400;

/** What goes wrong on a disk that says nothing: what was safe is not what it was. */
export class DiskFaults extends Aim {
  /** Bits flip in any file, of a machine that runs or of one that does not. */
  rot(): void {
    const node = this.mayBeHurt();
    const path = node && this.any(node.disk.paths());
    const inode = node && path !== undefined ? node.disk.find(path) : undefined;
    if (!node || path === undefined || !inode || inode.size === 0) return;
    const places = Array.from({ length: 1 + this.random.below(3) }, () => this.random.below(inode.size));
    for (const position of new Set(places)) {
      const mask = 1 << this.random.below(8);
      const value = inode.byteAt(position)! ^ mask;
      this.targets.damage.hurts(node, [{ path, position, value }]);
      inode.rot(position, mask);
      this.targets.trace.add(node.name, `byte ${position} of ${path} is ${value} now`);
    }
    this.report(node.name, node.life ? 'bits flipped while it runs' : 'bits flipped at rest');
  }

  /** The machine stops, and the last that it wrote to its log is not what it was: nothing durable is behind it to show that. */
  rotAtTheEnd(): void {
    const node = this.mayBeHurt();
    if (!node) return;
    node.losePower(this.random);
    // A process that had nothing to lose any more has lost its disk by this.
    const path = node.disk.paths().findLast((name) => SEGMENT.test(name));
    const inode = path === undefined ? undefined : node.disk.find(path);
    if (path === undefined || !inode) return;
    let end = inode.size;
    while (end > 0 && inode.byteAt(end - 1) === 0) end -= 1;
    if (end <= SEGMENT_HEADER_BYTES) return;
    const position = Math.max(SEGMENT_HEADER_BYTES, end - 1 - this.random.below(END_BYTES));
    const mask = 1 << this.random.below(8);
    const value = inode.byteAt(position)! ^ mask;
    this.targets.damage.hurts(node, [{ path, position, value }]);
    inode.rot(position, mask);
    this.targets.trace.add(node.name, `byte ${position} of ${path}, near its end, is ${value} now`);
    this.report(node.name, 'bits flipped at the end of the log');
    this.targets.time.after(this.random.below(100 * MILLISECOND), () => {
      if (!node.life && node.duty !== 'spare') node.boot();
    });
  }

  /** The next write to a segment goes to another place, of the same file or of another. */
  misdirect(): void {
    const node = this.mayBeHurt();
    if (!node?.life) return;
    node.disk.astray = (meant, bytes) => {
      if (!SEGMENT.test(meant.path)) return undefined;
      node.disk.astray = undefined;
      const place = this.elsewhere(node, meant, bytes);
      if (!place || !this.targets.damage.mayHurt(node)) return undefined;
      this.goAstray(node, meant, bytes, place);
      return place;
    };
  }

  private goAstray(node: SimNode, meant: Place, bytes: Buffer, place: Place): void {
    const { damage, trace } = this.targets;
    const missing = node.disk.inode(meant.path).byteAt(meant.position) ?? 0;
    const struck = node.disk.inode(place.path);
    const changed = bytes.findIndex((byte, at) => struck.byteAt(place.position + at) !== byte);
    const wrong = [{ path: meant.path, position: meant.position, value: missing }];
    if (changed >= 0) wrong.push({ path: place.path, position: place.position + changed, value: bytes[changed]! });
    damage.hurts(node, wrong);
    trace.add(
      node.name,
      `${bytes.length} bytes for ${meant.path} ${meant.position} go to ${place.path} ${place.position}`,
    );
    this.report(node.name, 'write misdirected');
    node.lastWriteLost = true;
    // What is written to the log after it proves that something is missing.
    node.disk.astray = ({ path }) => {
      if (SEGMENT.test(path)) {
        node.lastWriteLost = false;
        node.disk.astray = undefined;
      }
      return undefined;
    };
  }

  private elsewhere(node: SimNode, meant: Place, bytes: Buffer): Place | undefined {
    const path = this.random.chance(0.6) ? meant.path : this.any(node.disk.paths())!;
    const sectors = Math.floor((node.disk.inode(path).size - bytes.length) / SECTOR_BYTES);
    if (sectors < 1) return undefined;
    const position = this.random.below(sectors) * SECTOR_BYTES + (meant.position % SECTOR_BYTES);
    return path === meant.path && position === meant.position ? undefined : { path, position };
  }

  private mayBeHurt(): SimNode | undefined {
    const { nodes, damage } = this.targets;
    return this.any(nodes.filter((node) => node.duty === 'serving' && node.id !== '' && damage.mayHurt(node)));
  }
}
