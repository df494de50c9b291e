/** Sensible data for a member who is filled in by one press. Both phones share hobbies, so each is dealt the other. */
import { listPictures, upload } from "../lib/bridge.js";
import type { Member } from "../lib/member.svelte.js";
import type { Schemas } from "../lib/problem.js";

interface Person {
  name: string;
  born: string;
  gender: "GENDER_WOMAN" | "GENDER_MAN" | "GENDER_NON_BINARY";
  city: string;
  /** What such a person says of a hobby, whatever it is. */
  words: string[];
}

export const PREPARED: Record<Member["side"], Person> = {
  Left: {
    name: "Iolanda",
    born: "1993-02-20",
    gender: "GENDER_WOMAN",
    city: "Lisbon",
    words: [
      "early, while the street still sleeps",
      "mostly for the quiet of it",
      "badly, with great pleasure",
      "an old habit from a long winter",
      "with far too much patience",
      "better in company, best alone",
    ],
  },
  Right: {
    name: "Beatrix",
    born: "1991-09-03",
    gender: "GENDER_WOMAN",
    city: "Lisbon",
    words: [
      "on Sundays, without a plan",
      "learned slowly, from an aunt",
      "only when it rains outside",
      "and always one more attempt",
      "because hands want to be busy",
      "the reason why dinner is late",
    ],
  },
};

/** How many hobbies the two share, so that each is dealt the other's card first (DI-07). */
const SHARED = 4;

/** How many sample pictures each phone takes. */
export const PICTURES = 3;

/** A number that is reserved for fiction, of an area whose numbers get texts. */
export function inventedNumber(): string {
  const areas = ["212", "312", "415", "503", "617", "702", "808", "907"];
  const [area = 0, line = 0] = crypto.getRandomValues(new Uint16Array(2));
  return `+1${areas[area % areas.length]}55501${String(line % 100).padStart(2, "0")}`;
}

export function date(text: string): Schemas["Date"] {
  const [year = 0, month = 0, day = 0] = text.split("-").map(Number);
  return { year, month, day };
}

/** The sample pictures that this phone offers: each phone has others. */
export async function picturesFor(member: Member): Promise<string[]> {
  const { pictures } = await listPictures();
  const from = member.side === "Left" ? 0 : PICTURES;
  return pictures.slice(from, from + PICTURES).length === PICTURES ? pictures.slice(from, from + PICTURES) : pictures;
}

export async function searchPlaces(member: Member, query: string): Promise<Schemas["identity.Place"][]> {
  const call = member.api.GET("/v1/places:search", { params: { query: { query, limit: 5 } } });
  return (await member.read(call)).places;
}

export async function saveProfile(member: Member, profile: Schemas["identity.ProfileInput"]): Promise<void> {
  const update_mask = Object.keys(profile).join(",");
  await member.write(["profile", profile], (request_id) =>
    member.api.PATCH("/v1/profile", { body: { request_id, profile, update_mask } }),
  );
}

export async function saveHobbies(member: Member, hobbies: Schemas["identity.HobbyInput"][]): Promise<void> {
  await member.write(["hobbies", hobbies], (request_id) =>
    member.api.PUT("/v1/hobbies", { body: { request_id, hobbies } }),
  );
}

/** Upload a sample picture: a form from identity, the bytes to the object store, and word that it is there (PR-02). */
export async function addPhoto(member: Member, picture: string): Promise<void> {
  const content_type = "image/jpeg";
  const offer = await member.write(["photo", picture], (request_id) =>
    member.api.POST("/v1/photos", { body: { request_id, content_type } }),
  );
  await upload(offer.url, offer.form_fields, picture, member.signal);
  const path = { photo_id: offer.photo_id };
  await member.write(["photo is there", offer.photo_id], (request_id) =>
    member.api.POST("/v1/photos/{photo_id}:complete", { params: { path }, body: { request_id } }),
  );
}

/** Fill in everything that Discovery needs. The hobbies are those of the other phone's member, if there are any yet. */
export async function prepare(member: Member, other: Member, tell: (step: string) => void): Promise<void> {
  const person = PREPARED[member.side];
  tell("the profile");
  const [place] = await searchPlaces(member, person.city);
  const { name, gender } = person;
  const where = { place_id: place?.place_id ?? "", time_zone: place?.time_zone ?? "" };
  await saveProfile(member, { name, gender, date_of_birth: date(person.born), ...where });
  tell("hobbies");
  const { hobby_options } = await member.read(member.api.GET("/v1/hobby-options"));
  const options = other.hobbies.length ? other.hobbies : shuffled(hobby_options).slice(0, SHARED);
  const words = shuffled(person.words);
  member.hobbies = options.map(({ hobby_option_id }, at) => {
    return { hobby_option_id, micro_description: words[at % words.length] ?? "" };
  });
  await saveHobbies(member, member.hobbies);
  for (const [at, picture] of (await picturesFor(member)).slice(0, PICTURES).entries()) {
    tell(`photo ${at + 1} of ${PICTURES}`);
    await addPhoto(member, picture);
  }
}

function shuffled<T>(all: T[]): T[] {
  const keyed = all.map((each) => [Math.random(), each] as const);
  return keyed.sort(([one], [another]) => one - another).map(([, each]) => each);
}
