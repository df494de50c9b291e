/** The session of the moderator, whom the bridge signs in with a second factor. */
import { becomeModerator } from "../lib/bridge.js";
import { Session, type Tokens } from "../lib/session.svelte.js";

export class DeskSession extends Session {
  constructor() {
    super("desk");
  }

  async open(): Promise<void> {
    const { access_token, user_id } = await becomeModerator();
    this.begin("", user_id, { access_token, refresh_token: "" });
  }

  protected override async renew(signal: AbortSignal): Promise<Tokens> {
    const { access_token } = await becomeModerator(signal);
    return { access_token, refresh_token: "" };
  }
}
