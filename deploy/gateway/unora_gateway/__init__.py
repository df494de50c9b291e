"""The gateway: Envoy in front of the services, configured by what this package makes of the contract.

`contract` reads the contract, `refusals` names what the gateway itself refuses, `policy` holds the numbers, `target`
says where it runs; `bootstrap` and its neighbours make Envoy's configuration, `lua/` and `lua_tables` the script that
judges REST requests and gives every error one shape. `render` writes all of it into a folder.
"""
