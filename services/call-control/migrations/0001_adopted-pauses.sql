ALTER TABLE "call_control"."pause_intents" RENAME COLUMN "cause" TO "attempt";
--> statement-breakpoint
-- An intent that is there while this runs is of a pause that must not be forgotten.
UPDATE "call_control"."pause_intents" SET "attempt" = jsonb_build_object(
	'action', 'pause', 'cause', "attempt", 'askedBy', "attempt" #>> '{by,kind}',
	'requestedAtMs', floor(extract(epoch from "requested_at") * 1000), 'address', null, 'detail', '{}'::jsonb);
