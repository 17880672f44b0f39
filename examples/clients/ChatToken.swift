// SPDX-License-Identifier: MIT
//
// A chat token, in Swift (5.7 or newer), for an application server.  usage: ChatToken member ID | guest [NAME]
// From the environment: MEMBERCHAT_URL, MEMBERCHAT_API_KEY, MEMBERCHAT_API_SECRET.
// Prints the token.  Exit 0: a token; 1: refused, with errorCode on stderr; 2: no answer; 64: wrong arguments.
// Build it with: swiftc -parse-as-library ChatToken.swift
import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

struct ChatToken: Codable {
    let chatServerWebSocketUrl: String
    let chatToken: String
    let appId: String
    let userId: String
    let userName: String?
    let avatarProfileUrl: String?
}

struct Guest: Codable {
    var appUserId: String?
    var appUserName: String?
    var appUserProfileImgUrl: String?
    var accessToken: String?
}

/// errorCode says what is wrong, for programs; "HTTP 502" and the like if something else answered.
struct Refused: Error {
    let errorCode: String
    let errorMessage: String
}

struct Memberchat {
    private struct Failure: Codable {
        let errorCode: String
        let errorMessage: String
    }

    private static let tries = 3
    private static let longestWait: UInt64 = 10 // seconds; longer is not worth waiting for
    private let url: String
    private let authorization: String

    init(url: String, key: String, secret: String) {
        self.url = url + "/v2/apps/me/members/"
        authorization = "Basic " + Data("\(key):\(secret)".utf8).base64EncodedString()
    }

    func memberToken(_ id: String) async throws -> ChatToken {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        let unreserved = CharacterSet(charactersIn: letters + "0123456789-._~")
        guard let encoded = id.addingPercentEncoding(withAllowedCharacters: unreserved) else {
            throw URLError(.badURL)
        }
        return try await ask(encoded + "/chat-tokens", body: Data())
    }

    func guestToken(_ guest: Guest = Guest()) async throws -> ChatToken {
        return try await ask("guest-chat-tokens", body: try JSONEncoder().encode(guest))
    }

    private func ask(_ path: String, body: Data) async throws -> ChatToken {
        guard let address = URL(string: url + path) else {
            throw URLError(.badURL)
        }
        var request = URLRequest(url: address, timeoutInterval: 10)
        request.httpMethod = "POST"
        request.httpBody = body
        request.setValue(authorization, forHTTPHeaderField: "Authorization")
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        var left = Memberchat.tries
        while true {
            let (data, answer) = try await send(request)
            if answer.statusCode == 200 {
                return try JSONDecoder().decode(ChatToken.self, from: data)
            }
            left -= 1
            let wait = UInt64(answer.value(forHTTPHeaderField: "Retry-After") ?? "1") ?? 1
            let later = answer.statusCode == 429 || answer.statusCode == 503
            if !later || left == 0 || wait > Memberchat.longestWait {
                let failure = try? JSONDecoder().decode(Failure.self, from: data)
                throw Refused(errorCode: failure?.errorCode ?? "HTTP \(answer.statusCode)",
                              errorMessage: failure?.errorMessage ?? "the answer is not from memberchat")
            }
            try await Task.sleep(nanoseconds: wait * 1_000_000_000)
        }
    }

    /// URLSession.data(for:), which Foundation for Linux has only in newer versions.
    private func send(_ request: URLRequest) async throws -> (Data, HTTPURLResponse) {
        return try await withCheckedThrowingContinuation { continuation in
            URLSession.shared.dataTask(with: request) { data, response, error in
                if let data = data, let response = response as? HTTPURLResponse {
                    continuation.resume(returning: (data, response))
                } else {
                    continuation.resume(throwing: error ?? URLError(.badServerResponse))
                }
            }.resume()
        }
    }
}

@main
struct Main {
    static func complain(_ text: String, exit code: Int32) -> Never {
        FileHandle.standardError.write(Data((text + "\n").utf8))
        exit(code)
    }

    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        let environment = ProcessInfo.processInfo.environment
        let memberchat = Memberchat(url: environment["MEMBERCHAT_URL"] ?? "",
                                    key: environment["MEMBERCHAT_API_KEY"] ?? "",
                                    secret: environment["MEMBERCHAT_API_SECRET"] ?? "")
        do {
            let token: ChatToken
            if words.count == 2 && words[0] == "member" {
                token = try await memberchat.memberToken(words[1])
            } else if (1...2).contains(words.count) && words[0] == "guest" {
                token = try await memberchat.guestToken(Guest(appUserName: words.dropFirst().first))
            } else {
                complain("usage: ChatToken member ID | guest [NAME]", exit: 64)
            }
            FileHandle.standardOutput.write(try JSONEncoder().encode(token) + Data("\n".utf8))
        } catch let refused as Refused {
            complain("\(refused.errorCode): \(refused.errorMessage)", exit: 1)
        } catch {
            complain("\(error)", exit: 2)
        }
    }
}
