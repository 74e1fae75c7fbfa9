"""Console: how people drive it. The only room that knows all others and chooses the real clock,
database, network and settings.

Does        command line, workspace (init, plan, apply, doctor), settings and keys, database and
            migrations, wiring, the demo.
Owns        no table yet.
Never       holds a rule of the business: it asks a room and shows the answer.
Standards   TOML 1.0 (files), RFC 3339 (dates in results), RFC 8314 (mail ports), RFC 2104 (keys).
Read        cli/ (its frame, then one file per command group); what is set: setting.py,
            known_settings.py, known_limits.py, known_identity_settings.py, sections.py,
            dns_settings.py, settings.py, known_pace_settings.py, pacing.py, signup_settings.py,
            identities.py, zones.py, keys.py, settings_page.py, commands_page.py; what is kept:
            database.py, schema_version.py, schema.py, migrations/; what is chosen: wiring.py,
            errors.py, document.py; the workspace: kinds.py, definitions.py, unchanged.py,
            workspace.py, effects.py, questions.py, new_workspace.py, starting_files.py, doctor.py;
            what Tab offers: completing.py, rule_words.py, glimpse.py; commands of several rooms:
            campaigning.py, planning.py, holding.py, warming_up.py, sending.py, attending.py,
            lane_limits.py, lane_views.py, answers.py, importing.py, exporting.py, facts_files.py,
            suppressing.py, asking_consent.py, parting.py, person_file.py, person_page.py; mails
            looked at: template_folders.py, previews.py, send_test.py, mail_parts.py, leafing.py,
            previewing.py, serving_look.py, chromium.py, shots.py, covering.py, covering_desk.py,
            processes.py, checking.py, spam_checks.py, dns.py, preflight.py, checkup.py; web/ (the
            opt-out page, the preview); demo/
"""
