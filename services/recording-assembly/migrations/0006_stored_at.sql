ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "sha512" text;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "stored_at" timestamp with time zone;--> statement-breakpoint
UPDATE "recording_assembly"."recordings" SET "stored_at" = "updated_at" WHERE "stored_generation" IS NOT NULL;