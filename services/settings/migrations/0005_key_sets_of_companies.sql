UPDATE "settings"."key_sets" SET "audience" = 'tacet:' || "company_id" WHERE "company_id" IS NOT NULL;--> statement-breakpoint
ALTER TABLE "settings"."key_sets" DROP CONSTRAINT "key_sets_issuer_audience_unique";--> statement-breakpoint
CREATE INDEX "key_sets_issuer_index" ON "settings"."key_sets" USING btree ("issuer");