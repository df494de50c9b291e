/** Work that is done once at a time: whether it is under way, and why the last time was refused. */
import { asRefusal, type Refusal } from "./problem.js";

export class Attempt {
  busy = $state(false);
  refusal = $state.raw<Refusal>();

  async run(work: () => Promise<unknown>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.refusal = undefined;
    try {
      await work();
    } catch (error) {
      this.refusal = asRefusal(error);
    } finally {
      this.busy = false;
    }
  }
}
