import { join } from 'node:path';
import { allocate, FileSystemError, type FileSystem, isDiskFull, isMissing } from '../../src/log/files';

/** Everything a `FileSystem` has to do that can be seen without a loss of power. `make` gives one, and an empty folder of it. */
export function describeFileSystem(name: string, make: () => Promise<{ files: FileSystem; root: string }>): void {
  describe(`${name} keeps the contract of a file system`, () => {
    let files: FileSystem;
    let folder: string;

    beforeEach(async () => {
      const made = await make();
      files = made.files;
      folder = join(made.root, 'a', 'b');
      await files.makeDirectory(folder);
    });

    const context: Context = { files: () => files, folder: () => folder, path: (file) => join(folder, file) };
    describe('files', () => describeFiles(context));
    describe('names', () => describeNames(context));
    test('the room on the disk of a folder is told; that of a folder that is not there is a fault', async () => {
      expect(await files.freeBytes(folder)).toBeGreaterThan(1_000_000);
      expect(await codeOf(files.freeBytes(join(folder, 'missing')))).toBe('ENOENT');
    });
  });
}

/** What a `FileSystem` has to do when its disk is full. `make` gives one on a disk of 8 to 64 MiB, and an empty folder of it. */
export function describeFullDisk(name: string, make: () => Promise<{ files: FileSystem; root: string }>): void {
  describe(`${name} on a disk that fills up`, () => {
    test('refuses what does not fit with ENOSPC, overwrites all the same, and goes on when there is room', async () => {
      const { files, root } = await make();
      const [kept, large] = [join(root, 'kept'), join(root, 'large')];
      const file = await files.open(kept, 'create');
      await file.write([Buffer.alloc(100_000, 1)], 0);
      await file.sync();

      const filler = await files.open(large, 'create');
      const free = await files.freeBytes(root);
      expect(free).toBeLessThanOrEqual(64 * 1024 * 1024);
      const error = await allocate(filler, 0, free + 4_000_000).catch((reason: unknown) => reason);
      expect(isDiskFull(error)).toBe(true);
      await filler.close();
      expect(await files.freeBytes(root)).toBeLessThan(4_000_000);

      // What was allocated can be written.
      await file.write([Buffer.alloc(50_000, 2)], 25_000);
      await file.sync();
      await files.unlink(large);
      expect(await files.freeBytes(root)).toBeGreaterThan(free - 4_000_000);
      await file.write([Buffer.alloc(100_000, 3)], 100_000);
      await file.sync();
      const found = Buffer.alloc(200_000);
      expect(await file.read(found, 0)).toBe(200_000);
      expect([found[0], found[25_000], found[75_000], found[199_999]]).toEqual([1, 2, 1, 3]);
      await file.close();
    });
  });
}

interface Context {
  files(): FileSystem;
  folder(): string;
  path(file: string): string;
}

function describeFiles({ files, folder, path }: Context): void {
  test('folders are made with those above them, and once', async () => {
    await files().makeDirectory(folder());
    expect(await files().exists(folder())).toBe(true);
    expect(await files().list(folder())).toEqual([]);
    await files().syncDirectory(folder());
  });

  test('what is written is read, at its position and no further than the end', async () => {
    const file = await files().open(path('f'), 'create');
    await file.write([Buffer.from('ab'), Buffer.alloc(0), Buffer.from('cde')], 3);
    await file.write([Buffer.from('Z')], 4);
    await file.datasync();
    expect(await file.size()).toBe(8);
    const buffer = Buffer.alloc(10, '.');
    expect(await file.read(buffer, 2)).toBe(6);
    expect(buffer.toString()).toBe('\0aZcde....');
    expect(await file.read(buffer, 8)).toBe(0);
    expect(await file.read(buffer, 100)).toBe(0);
    const other = Buffer.alloc(3);
    expect(files().readSync(path('f'), other, 5)).toBe(3);
    expect(other.toString()).toBe('cde');
    await file.close();
  });

  test('many parts are written as one', async () => {
    const file = await files().open(path('f'), 'create');
    const parts = Array.from({ length: 3_000 }, (_, i) => Buffer.from(String(i % 10)));
    await file.write(parts, 0);
    const buffer = Buffer.alloc(3_000);
    expect(await file.read(buffer, 0)).toBe(3_000);
    expect(buffer.equals(Buffer.concat(parts))).toBe(true);
    await file.close();
  });

  test('truncation cuts, and what is written behind the end begins after zeros', async () => {
    const file = await files().open(path('f'), 'create');
    await file.write([Buffer.from('abcdef')], 0);
    await file.truncate(2);
    await file.write([Buffer.from('x')], 4);
    await file.sync();
    const buffer = Buffer.alloc(5);
    await file.read(buffer, 0);
    expect(buffer.toString()).toBe('ab\0\0x');
    await file.close();
  });

  test('allocation fills with zeros and leaves what is before it', async () => {
    const file = await files().open(path('f'), 'create');
    await file.write([Buffer.from('abc')], 0);
    expect(await allocate(file, 3, 5_000_000)).toBeGreaterThan(0);
    expect(await file.size()).toBe(5_000_000);
    const buffer = Buffer.alloc(6);
    await file.read(buffer, 0);
    expect(buffer.toString()).toBe('abc\0\0\0');
    await file.close();
  });
}

function describeNames({ files, folder, path }: Context): void {
  test('names come, change and go; a rename replaces', async () => {
    for (const name of ['b', 'a']) await (await files().open(path(name), 'create')).close();
    expect(await files().list(folder())).toEqual(['a', 'b']);
    const file = await files().open(path('a'), 'update');
    await file.write([Buffer.from('1')], 0);
    await file.close();
    await files().rename(path('a'), path('b'));
    expect(await files().list(folder())).toEqual(['b']);
    expect([await files().exists(path('a')), await files().exists(path('b'))]).toEqual([false, true]);
    const reader = await files().open(path('b'), 'read');
    await files().unlink(path('b'));
    expect(await files().list(folder())).toEqual([]);
    // Who has it open reads on.
    expect(await reader.read(Buffer.alloc(1), 0)).toBe(1);
    await reader.close();
  });

  test('failures have the code of the system', async () => {
    await (await files().open(path('there'), 'create')).close();
    expect(await codeOf(files().open(path('there'), 'create'))).toBe('EEXIST');
    expect(await codeOf(files().open(path('missing'), 'read'))).toBe('ENOENT');
    expect(await codeOf(files().open(path('missing'), 'update'))).toBe('ENOENT');
    expect(await codeOf(files().open(join(folder(), 'no', 'folder'), 'create'))).toBe('ENOENT');
    expect(await codeOf(files().unlink(path('missing')))).toBe('ENOENT');
    expect(await codeOf(files().rename(path('missing'), path('other')))).toBe('ENOENT');
    expect(await codeOf(files().list(path('missing')))).toBe('ENOENT');
    expect(() => files().readSync(path('missing'), Buffer.alloc(1), 0)).toThrow(FileSystemError);
    expect(
      isMissing(
        await files()
          .unlink(path('missing'))
          .catch((error: unknown) => error),
      ),
    ).toBe(true);
    expect(isMissing(new Error('ENOENT'))).toBe(false);
  });
}

async function codeOf(action: Promise<unknown>): Promise<string> {
  const error: unknown = await action.then(
    () => new Error('It did not fail.'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof FileSystemError)) throw error;
  return error.code;
}
