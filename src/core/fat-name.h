/* Names of folders that are shown as disks: fat:[12:|16:|32:][floppy:][label=TEXT:][rw:]FOLDER. */
#ifndef CORE_FAT_NAME_H
#define CORE_FAT_NAME_H

#include <stddef.h>

/* Bytes of `fat:` and the words after it, before the folder; 0: it is no such name. */
size_t fat_name_words(const char *name);

#endif
