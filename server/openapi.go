package server

import _ "embed"

// openAPI describes the API.
//
//go:embed openapi.json
var openAPI []byte
