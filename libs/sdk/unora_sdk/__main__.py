from unora_sdk.commands import main

raise SystemExit(main())
