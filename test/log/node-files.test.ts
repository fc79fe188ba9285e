import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeFiles } from '../../src/log/node-files';
import { describeFileSystem, describeFullDisk } from '../support/file-system-contract';
import { mountSmallDisk, sayNotRun } from '../support/small-disk';

const made: string[] = [];
const smallDisk = mountSmallDisk(12 * 1024 * 1024);

function makeRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'node-files-'));
  made.push(root);
  return root;
}

afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true });
  if (typeof smallDisk !== 'string') smallDisk.unmount();
});

describeFileSystem('NodeFiles', async () => ({ files: new NodeFiles(), root: makeRoot() }));

if (typeof smallDisk === 'string') sayNotRun('NodeFiles on a disk that fills up', smallDisk);
else describeFullDisk('NodeFiles', async () => ({ files: new NodeFiles(), root: smallDisk.path }));

test('files and folders are the owner’s alone', async () => {
  const files = new NodeFiles();
  const folder = join(makeRoot(), 'data');
  await files.makeDirectory(folder);
  await (await files.open(join(folder, 'f'), 'create')).close();
  expect(statSync(folder).mode & 0o077).toBe(0);
  expect(statSync(join(folder, 'f')).mode & 0o077).toBe(0);
});
