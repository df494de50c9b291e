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

/** Areas of North America whose numbers get texts. */
const AREAS = `201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248
  251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319
  320 321 323 325 330 334 336 337 339 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417
  419 423 425 432 434 440 443 469 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 518 520 530
  540 541 559 561 562 563 567 570 571 573 574 580 585 586 601 602 603 605 606 607 608 609 610 612 614 615 616 617 618
  619 620 623 626 630 631 636 641 646 650 651 660 661 662 678 682 701 702 703 704 706 707 708 712 713 714 715 716 717
  718 719 720 724 727 731 732 734 740 754 757 760 763 765 770 772 773 774 775 781 785 786 801 802 803 804 805 806 808
  810 812 813 814 815 816 817 818 828 830 831 832 843 845 847 850 856 857 858 859 860 863 864 865 870 901 903 904 907
  908 909 910 912 913 914 915 916 918 919 920 925 928 931 936 937 940 941 949 951 952 954 956 970 971 972 973 978 979
  980 985 989`.split(/\s+/);

/** A number that is reserved for fiction, and not that of the other phone. */
export function inventedNumber(taken: string): string {
  const [area = 0, line = 0] = crypto.getRandomValues(new Uint16Array(2));
  const number = `+1${AREAS[area % AREAS.length]}55501${String(line % 100).padStart(2, "0")}`;
  return number === taken ? inventedNumber(taken) : number;
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
