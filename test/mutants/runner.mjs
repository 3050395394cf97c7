// Stryker's own runner for vitest, with what it misses put right: a test file that a mutant keeps from being loaded
// has no tests at all, and counted as passed; it has failed.
import { strykerPlugins as theirs } from '@stryker-mutator/vitest-runner';

const original = theirs[0].factory;

function factory(injector) {
  const runner = original(injector);
  const { mutantRun } = runner;
  runner.mutantRun = async function (options) {
    const answer = await mutantRun.call(this, options);
    const broken = this.ctx.state.getFiles().find((file) => file.result?.state === 'fail' && file.tasks.length === 0);
    if (answer.status !== 'survived' || !broken) return answer;
    return { status: 'killed', failureMessage: `${broken.name} was not loaded`, killedBy: [`${broken.name}#`], nrOfTests: 0 };
  };
  return runner;
}
factory.inject = original.inject;

export const strykerPlugins = [{ kind: 'TestRunner', name: 'vitest-loading', factory }];
