/* `lathe fetch FILE...`: what a machine needs from elsewhere, into the cache. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/fetching.h"
#include "cli/loading.h"

static int fetch_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    int worst = EXIT_FINE;

    if (!options_parse(&argc, &argv, NULL, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (argc < 2) {
        fputs("lathe fetch: no file; see `lathe help fetch`\n", stderr);
        return EXIT_DESCRIPTION;
    }
    for (int i = 1; i < argc; i++) {
        const ConfigOptions config = config_options(&options);
        g_autoptr(Diag) diag = diag_new();
        g_autoptr(LockImages) images = lock_images(argv[i], &config, diag);
        int code;

        if (images) {
            fetch_images(images, diag);
        }
        code = finish_with(diag);
        worst = MAX(worst, code);
    }
    return worst;
}

VERB(fetch) = {
    .name = "fetch",
    .arguments = "FILE... [--set PATH=VALUE]... [--profile NAME]... [--path DIR]...",
    .summary = "download the images that a machine pins",
    .help =
        "Downloads the images with a URL into the cache below XDG_CACHE_HOME/lathe "
        "(~/.cache/lathe)\n"
        "and checks their digests. What is there already is not fetched again; what broke off is\n"
        "gone on with; several at a time wait for each other. `lathe lock` pins new images.\n"
        "\n"
        "  --set PATH=VALUE   changes a value\n"
        "  --profile NAME     merges what the file has under profiles.NAME\n"
        "  --path DIR         another folder with machines/ and schemas/\n"
        "\n"
        "Exit status: 0 all is there, 2 an image is not pinned, 3 it cannot be fetched.\n",
    .run = fetch_run,
};
