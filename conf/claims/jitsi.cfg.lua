-- The part of Prosody's configuration of a Jitsi Meet host for tokens by jitsi.json, signed with
-- HS256 or RS256.  The claim sub is the userId, not a domain, so domains are not compared.

VirtualHost "meet.example.com"
    authentication = "token"
    app_id = "memberchat"           -- the issuer
    app_secret = "the signing key"  -- HS256: the characters in the key file
    -- asap_key_server = "https://www.example.com/asap"  -- RS256: HEX-SHA-256-OF-KID.pem is there
    asap_accepted_issuers = { "memberchat" }
    asap_accepted_audiences = { "jitsi" }
    enable_domain_verification = false
    allow_empty_token = false
