/* SPDX-License-Identifier: MIT */
#include "common_secrets.h"

/* The first eight bytes of the SHA-256 of each, without and with a line end. */
const struct common_secret common_secrets[] = {
    {"", 0xe3b0c44298fc1c14, 0x01ba4719c80b6fe9},
    {" ", 0x36a9e7f1c95b82ff, 0xe16f1596201850fd},
    {"a", 0xca978112ca1bbdca, 0x87428fc522803d31},
    {"1", 0x6b86b273ff34fce1, 0x4355a46b19d348dc},
    {"0", 0x5feceb66ffc86f38, 0x9a271f2a916b0b6e},
    {"123", 0xa665a45920422f9d, 0x181210f8f9c779c2},
    {"1234", 0x03ac674216f3e15c, 0xa883dafc480d466e},
    {"12345", 0x5994471abb01112a, 0xf33ae3bc9a22cd75},
    {"123456", 0x8d969eef6ecad3c2, 0xe150a1ec81e8e93e},
    {"1234567", 0x8bb0cf6eb9b17d0f, 0x349abe1272178917},
    {"12345678", 0xef797c8118f02dfb, 0x2634c3097f98e368},
    {"123456789", 0x15e2b0d3c33891eb, 0x6d78392a5886177f},
    {"1234567890", 0xc775e7b757ede630, 0x4795a1c2517089e4},
    {"111111", 0xbcb15f821479b4d5, 0x9d272f1f3e92f7c5},
    {"000000", 0x91b4d142823f7d20, 0x2f1ab4cf0adb400e},
    {"abc", 0xba7816bf8f01cfea, 0xedeaaff3f1774ad2},
    {"abc123", 0x6ca13d52ca70c883, 0x5ecf8d2cc410094e},
    {"admin", 0x8c6976e5b5410415, 0xfc8252c8dc558399},
    {"admin123", 0x240be518fabd2724, 0x6f403cce6bb38bd0},
    {"administrator", 0x4194d1706ed1f408, 0x1b73e027e8850cf4},
    {"api-secret", 0x014c243ff960e87a, 0x973250578e51d1eb},
    {"api_secret", 0x87fd0842be8454da, 0xcbb04d9aef6dc322},
    {"apisecret", 0x1b401d7a295e4203, 0xb103daac07418b55},
    {"bar", 0xfcde2b2edba56bf4, 0x7d865e959b246691},
    {"changeit", 0x00810cf8b94d6fcb, 0x62a5ebcce6e923d9},
    {"changeme", 0x057ba03d6c441048, 0x41edf6e61ed42a3c},
    {"default", 0x37a8eec1ce19687d, 0x01666ec060466c14},
    {"demo", 0x2a97516c354b6884, 0xeb9c26baee47f19e},
    {"dragon", 0xa9c43be948c5cabd, 0x24e11938b9091b4d},
    {"example", 0x50d858e0985ecc7f, 0x13550350a8681c84},
    {"foo", 0x2c26b46b68ffc68f, 0xb5bb9d8014a0f9b1},
    {"foobar", 0xc3ab8ff13720e8ad, 0xaec070645fe53ee3},
    {"guest", 0x84983c60f7daadc1, 0x0ac29a59b98b4063},
    {"hello", 0x2cf24dba5fb0a30e, 0x5891b5b522d5df08},
    {"iloveyou", 0xe4ad93ca07acb8d9, 0x14131fb520f66014},
    {"key", 0x2c70e12b7a0646f9, 0xa7998f247bd96569},
    {"letmein", 0x1c8bfe8f801d7974, 0x8de47d5aa7d61e92},
    {"login", 0x428821350e969149, 0x6c1420b8f3be7a61},
    {"master", 0xfc613b4dfd6736a7, 0x9b3162498c21d7f9},
    {"memberchat", 0x02ef724502f6dbdd, 0xc0661b19a402d620},
    {"monkey", 0x000c285457fc971f, 0x5a6e48105fea75cc},
    {"my-secret", 0x186ef76e9d6a723e, 0x264e441f2a00833f},
    {"mysecret", 0x652c7dc687d98c98, 0x18c1fe0d7f515e5f},
    {"none", 0x140bedbf9c3f6d56, 0xfcf33dfbe13c2354},
    {"null", 0x74234e98afe7498f, 0x38e0b9de817f645c},
    {"pass", 0xd74ff0ee8da3b980, 0x9f56e761d79bfdb3},
    {"passw0rd", 0x8f0e2f76e22b43e2, 0xcc10ba3e72e09f1e},
    {"password", 0x5e884898da280471, 0x6b3a55e0261b0304},
    {"password1", 0x0b14d501a594442a, 0x6beb82a31d6ce048},
    {"password123", 0xef92b778bafe771e, 0x57db1253b68b6802},
    {"p@ssw0rd", 0xa075d17f3d453073, 0xd242b6313f32c882},
    {"qwerty", 0x65e84be33532fb78, 0x9ceece10cf8b97d1},
    {"qwerty123", 0xdaaad6e5604e8e17, 0xd70e25e734dedbd1},
    {"root", 0x4813494d137e1631, 0x53175bcc0524f37b},
    {"s3cr3t", 0x4e738ca5563c06cf, 0x33a751a343fad897},
    {"secret", 0x2bb80d537b1da3e3, 0xb37e50cedcd3e3f1},
    {"secret123", 0xfcf730b6d95236ec, 0xe037daaf131045d8},
    {"sha256", 0x5d5b09f6dcb2d53a, 0x74b4147957813b62},
    {"string", 0x473287f8298dba71, 0x0c68feae3aa59d3d},
    {"supersecret", 0xf75778f7425be4db, 0xf286c9649e613470},
    {"test", 0x9f86d081884c7d65, 0xf2ca1bb6c7e907d0},
    {"test123", 0xecd71870d1963316, 0x9572d7f4e812df12},
    {"testing", 0xcf80cd8aed482d5d, 0x12a61f4e173fb3a1},
    {"token", 0x3c469e9d6c5875d3, 0xe078cb80a315c154},
    {"topsecret", 0x53336a676c64c139, 0x88709b9e5c24ea30},
    {"undefined", 0xeb045d78d2731073, 0x770c2d18aa4ec315},
    {"user", 0x04f8996da763b7a9, 0x6d9010b2b7a1483b},
    {"welcome", 0x280d44ab1e9f79b5, 0x77f44b9024fd19a6},
    {"x", 0x2d711642b726b044, 0x73cb3858a687a849},
    {"xxx", 0xcd2eb0837c9b4c96, 0x042aea10a0f14f2d},
    {"your-256-bit-secret", 0xf7d838701b86c5df, 0x5e64e14f036ca0b0},
    {"your-secret", 0xef1ea5dd2b28d2c1, 0x1561b6de659ecd27},
    {"API_SECRET", 0x0d66f4f97239b453, 0x1e4bf475b47587b7},
    {"SECRET", 0x0917b13a9091915d, 0xb5758cb6fead016d},
    {"Password1", 0x19513fdc9da4fb72, 0x0693a3a41b7bda55},
};
const size_t common_secret_count = sizeof common_secrets / sizeof *common_secrets;

const char *common_secret_find(const uint8_t digest[SHA256_LENGTH])
{
    uint64_t start = 0;
    for (size_t i = 0; i < 8; i++)
        start = start << 8 | digest[i];
    for (size_t i = 0; i < common_secret_count; i++)
        if (common_secrets[i].digest == start || common_secrets[i].line_digest == start)
            return common_secrets[i].text;
    return NULL;
}
