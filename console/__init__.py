"""Console: how people drive it. The only room that knows all others and chooses the real clock,
database, network and settings.

Does        command line, workspace (read, plan, apply), settings, database, migrations, wiring.
Owns        no table yet.
Never       holds a rule of the business: it asks a room and shows the answer.
Read        settings.py, database.py, wiring.py, workspace.py, errors.py, cli/
"""
