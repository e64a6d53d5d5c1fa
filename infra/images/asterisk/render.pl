#!/usr/bin/perl
# Fills in the placeholders of a file of asterisk-conf: {{name}} from the environment, {{#list}}…{{/list}} for each entry of a list.
# A name without a value is an error. Perl, because it is in every Debian and Node isn't.
use strict;
use warnings;

my @agents = map {
    my ($extension, $name) = @$_;
    { name => $name, extension => $extension, endpoint => $extension, username => $extension, password => $ENV{"SIP_PASSWORD_$extension"} }
} (['1001', 'Anna'], ['1002', 'Ben'], ['1003', 'Chloe']);
my %lists = (agents => \@agents, queueMembers => [@agents[1, 2]]);

sub fill_in {
    my ($template, $values) = @_;
    $template =~ s/\{\{(\w+)\}\}/$values->{$1} \/\/ die "No value for {{$1}}\n"/ge;
    return $template;
}

local $/;
my $template = <>;
$template =~ s!\{\{#(\w+)\}\}\n?(.*?)\{\{/\1\}\}\n?!
    my ($name, $body) = ($1, $2);
    my $entries = $lists{$name} // die "No list {{#$name}}\n";
    join '', map { fill_in($body, { %ENV, %$_ }) } @$entries
!gse;
print fill_in($template, \%ENV);
