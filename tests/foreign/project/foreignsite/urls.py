from django.urls import path
from shop.views import cached, stamp

from exports_project.urls import *
from exports_project.urls import urlpatterns

urlpatterns = [path("shop/stamp", stamp), path("shop/cached", cached), *urlpatterns]
